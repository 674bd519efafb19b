//! Rebuilds one read model: fences it, folds it to the end of the log, takes its digests, empties it, folds it again to
//! the same positions, and takes the digests again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use eventlog::{Consumer, Positions, consumer};
use projections::latest_telemetry::{self, LatestTelemetry, Store};
use projections::ownership::{Owner, writer_options};
use projections::registry::{Entry, Storage};
use projections::runner::{Runner, consume_settings};
use projections::{Deps, checkpoint, digest};
use tokio_util::sync::CancellationToken;

use crate::progress::{Phase, Progress, ReportingConsumer};
use crate::{Error, Options, Rebuilt};

/// How long to wait for another process to release the read model, and for its last table locks.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(30);

type Report<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// A rebuild in progress.
struct Rebuild<'a> {
    deps: &'a Deps,
    entry: Entry,
    store: Store,
    owner: Owner,
    targets: Positions,
    shutdown: &'a CancellationToken,
}

pub(crate) async fn rebuild(
    deps: &Deps,
    entry: Entry,
    options: Options,
    report: Report<'_>,
    shutdown: &CancellationToken,
) -> Result<Rebuilt, Error> {
    let targets = heads(deps, entry, options).await?;
    let store = Store::connect(&deps.redis).await?;
    let owner = take_over(deps, entry).await?;
    let mut rebuild = Rebuild { deps, entry, store, owner, targets, shutdown };
    let rebuilt = rebuild.rebuild(report).await;
    rebuild.owner.release().await;
    rebuilt
}

/// Returns the heads of the read model's streams; errors if one of them has been trimmed, unless that is accepted.
async fn heads(deps: &Deps, entry: Entry, options: Options) -> Result<Positions, Error> {
    let mut heads = Vec::new();
    for source in entry.sources() {
        let stream = source.stream;
        let state = deps.log.state(stream).await.map_err(|source| Error::Stream { stream, source })?;
        if state.first_sequence > 1 && !options.accept_trimmed {
            return Err(Error::Trimmed { name: entry.name.to_owned(), stream, first: state.first_sequence });
        }
        heads.push((stream, state.last_sequence));
    }
    Ok(Positions::at(heads))
}

/// Begins a new generation, which fences all other writers, and waits until the current owner has released the read
/// model.
async fn take_over(deps: &Deps, entry: Entry) -> Result<Owner, Error> {
    let wait = RELEASE_TIMEOUT.as_millis().to_string();
    let options = writer_options(&deps.database_url)?.options([("lock_timeout", wait.as_str())]);
    checkpoint::fence(&options, entry.name, &entry.sources()).await?;
    let patience = CancellationToken::new();
    let owner = Owner::acquire_with_priority(&options, entry.name, &patience);
    let waited = tokio::time::timeout(RELEASE_TIMEOUT, owner).await.ok().flatten();
    waited.ok_or_else(|| Error::Busy(entry.name.to_owned()))
}

impl Rebuild<'_> {
    async fn rebuild(&mut self, report: Report<'_>) -> Result<Rebuilt, Error> {
        let before = match self.fold(Phase::CatchingUp, report).await {
            Ok(()) => {
                self.run_upkeep().await?;
                Some(self.digest().await?)
            }
            // A checkpoint that does not fit the log is a reason to rebuild; only the comparison is impossible.
            Err(Error::Log { source, .. }) if is_misfit(&source) => None,
            Err(error) => return Err(error),
        };
        let begun = Instant::now();
        self.reset().await?;
        self.fold(Phase::Rebuilding, report).await?;
        self.run_upkeep().await?;
        Ok(Rebuilt {
            name: self.entry.name.to_owned(),
            before,
            after: self.digest().await?,
            positions: self.targets.iter().map(|(_, target)| target.sequence).sum(),
            seconds: begun.elapsed().as_secs_f64(),
            kept: None,
        })
    }

    /// Folds from the checkpoint to the targets, but not beyond.
    async fn fold(&mut self, phase: Phase, report: Report<'_>) -> Result<(), Error> {
        let until = self.targets.clone();
        match self.entry.storage {
            Storage::Postgres(make) => {
                let mut projection = make();
                let pace = consume_settings(projection.batch_limits());
                let runner = Runner::new(projection.as_mut(), &mut self.owner).until(until);
                drive(self.deps, runner, self.entry.name, pace, &self.targets, phase, report, self.shutdown).await
            }
            Storage::Redis => {
                let pace = consume_settings(latest_telemetry::BATCH_LIMITS);
                let latest = LatestTelemetry::new(self.store.clone(), &mut self.owner).until(until);
                drive(self.deps, latest, self.entry.name, pace, &self.targets, phase, report, self.shutdown).await
            }
        }
    }

    /// Runs all upkeep that is due, so that both sides of the comparison have had the same maintenance.
    async fn run_upkeep(&mut self) -> Result<(), Error> {
        let Some(upkeep) = self.entry.upkeep else { return Ok(()) };
        while upkeep(self.owner.db().await?).await? {}
        Ok(())
    }

    async fn reset(&mut self) -> Result<(), Error> {
        match self.entry.storage {
            Storage::Postgres(make) => {
                checkpoint::reset(self.owner.db().await?, self.entry.name, make().tables()).await?;
            }
            Storage::Redis => self.store.clear().await?,
        }
        Ok(())
    }

    async fn digest(&mut self) -> Result<BTreeMap<String, String>, Error> {
        Ok(match self.entry.storage {
            Storage::Postgres(make) => digest::compute(self.owner.db().await?, &make().digests()).await?,
            Storage::Redis => {
                BTreeMap::from([("latest values".to_owned(), latest_telemetry::digest(&self.store).await?)])
            }
        })
    }
}

#[allow(clippy::too_many_arguments, reason = "the two kinds of read model share nothing but this call")]
async fn drive(
    deps: &Deps,
    consumer: impl Consumer,
    name: &'static str,
    pace: consumer::ConsumeSettings,
    targets: &Positions,
    phase: Phase,
    report: Report<'_>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let watched = ReportingConsumer { consumer, name, phase, targets, report };
    let folded = eventlog::run_until(&deps.log, watched, pace, targets.clone(), shutdown.clone()).await;
    folded.map_err(|source| Error::Log { name: name.to_owned(), source })?;
    if shutdown.is_cancelled() { Err(Error::Interrupted(name.to_owned())) } else { Ok(()) }
}

fn is_misfit(error: &consumer::Error) -> bool {
    matches!(
        error,
        consumer::Error::Trimmed { .. }
            | consumer::Error::OtherStream { .. }
            | consumer::Error::OtherHistory { .. }
            | consumer::Error::Ahead { .. }
    )
}
