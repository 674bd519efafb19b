//! Runs a stage for as long as the process runs: for the units it owns, anew whenever these change.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use commands::Commands;
use eventlog::{BucketName, ConsumeSettings, Log, Publisher, PublisherSettings, consumer};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::snapshots::Error as SnapshotError;
use super::{Delivery, Snapshots, Stage, StageConsumer};
use crate::error::Error;
use crate::shared_directory::SharedDirectory;

/// Pause before a stage that ended begins again.
const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// Largest batch, bytes: some ten full packs.
const BATCH_BYTES: usize = 8 << 20;

/// What every stage needs.
#[derive(Clone)]
pub struct StageDeps {
    /// The log.
    pub log: Log,
    /// Where commands go.
    pub commands: Commands,
    /// The shared directory.
    pub directory: SharedDirectory,
    /// Names this process among the owners.
    pub member: String,
    /// How often things happen.
    pub timing: Timing,
}

/// How often things happen.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often snapshots are written; what came after the last is computed again after a crash.
    pub snapshot_every: Duration,
    /// How long batches wait for company, in place of each stage's own constant.
    pub linger: Option<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Self { snapshot_every: Duration::from_secs(5), linger: None }
    }
}

/// Runs a stage until `shutdown`; `new_stage` makes it anew for each set of units. Errors where going on cannot help: a
/// snapshot of another version, messages lost to this reader.
pub async fn supervise<S: Stage>(
    deps: StageDeps,
    new_stage: impl Fn() -> S + Send,
    mut owned: watch::Receiver<BTreeSet<u16>>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let bucket = deps.log.bucket(BucketName::StageState).await.map_err(Error::Bucket)?;
    let snapshots = Snapshots::new(bucket, S::NAME, S::STATE_VERSION, &deps.member);
    while !shutdown.is_cancelled() {
        let units = units_of::<S>(&owned.borrow_and_update());
        if units.is_empty() {
            shutdown.run_until_cancelled(owned.changed()).await;
            continue;
        }
        info!(stage = S::NAME, ?units, "begins");
        let stop = shutdown.child_token();
        let publisher = Publisher::new(&deps.log, PublisherSettings::default());
        let delivery = Delivery::new(S::NAME, publisher, deps.commands.clone(), stop.clone());
        let directory = deps.directory.clone();
        let mut consumer =
            StageConsumer::new(new_stage(), &units, directory, delivery, snapshots.clone(), deps.timing.snapshot_every);
        let ended = run_until_ownership_changes::<S>(&deps, &mut consumer, &units, &mut owned, stop).await;
        pause_or_fail::<S>(ended, &shutdown).await?;
        if let Err(failure) = consumer.write_all().await {
            warn!(stage = S::NAME, error = &failure as &dyn std::error::Error, "the last snapshot was not written");
        }
    }
    Ok(())
}

async fn run_until_ownership_changes<S: Stage>(
    deps: &StageDeps,
    consumer: &mut StageConsumer<S>,
    units: &BTreeSet<u16>,
    owned: &mut watch::Receiver<BTreeSet<u16>>,
    stop: CancellationToken,
) -> Result<(), consumer::Error> {
    let settings = ConsumeSettings {
        max_messages: 2_000,
        max_bytes: BATCH_BYTES,
        linger: deps.timing.linger.unwrap_or(S::LINGER),
        ..ConsumeSettings::default()
    };
    let mut running = pin!(eventlog::run(&deps.log, consumer, settings, stop.clone()));
    tokio::select! {
        ended = &mut running => return ended,
        () = ownership_changed::<S>(units, owned) => {}
    }
    stop.cancel();
    running.await
}

/// Waits until other units are owned.
async fn ownership_changed<S: Stage>(units: &BTreeSet<u16>, owned: &mut watch::Receiver<BTreeSet<u16>>) {
    let other = owned.wait_for(|now| units_of::<S>(now) != *units).await.is_ok();
    if !other {
        // Nobody tells any more; what is owned stays as it is.
        std::future::pending::<()>().await;
    }
}

/// Decides whether the stage may begin again after its loop ended, and rests before.
async fn pause_or_fail<S: Stage>(
    ended: Result<(), consumer::Error>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let Err(failure) = ended else { return Ok(()) };
    let may_go_on = match &failure {
        consumer::Error::Stopped { .. } | consumer::Error::ReadersEnded => true,
        consumer::Error::Resume { source, .. } => {
            !source.downcast_ref::<SnapshotError>().is_some_and(SnapshotError::is_final)
        }
        _ => false,
    };
    if !may_go_on {
        return Err(Error::Stage { stage: S::NAME, source: failure });
    }
    if !shutdown.is_cancelled() {
        warn!(stage = S::NAME, error = &failure as &dyn std::error::Error, "begins again");
        shutdown.run_until_cancelled(sleep(RESTART_PAUSE)).await;
    }
    Ok(())
}

fn units_of<S: Stage>(partitions: &BTreeSet<u16>) -> BTreeSet<u16> {
    partitions.range(..S::UNITS).copied().collect()
}
