//! Runs a stage for the lifetime of the process: for the units that it owns, restarted whenever ownership changes.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use commands::Commands;
use eventlog::{BucketName, ConsumeSettings, Log, Publisher, PublisherSettings, consumer, error_chain};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::deliver::Delivery;
use super::snapshots::{Error as SnapshotError, Snapshots};
use super::stage_consumer::StageConsumer;
use super::stage_trait::Stage;
use crate::error::Error;
use crate::shared_directory::SharedDirectory;

/// Pause before a stage that ended is restarted.
const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// Largest batch in bytes: about forty packs of `pack_limits::PACK_BYTES`.
const BATCH_BYTES: usize = 8 << 20;

/// The dependencies of every stage.
#[derive(Clone)]
pub struct StageDeps {
    /// The log.
    pub log: Log,
    /// Executes commands.
    pub commands: Commands,
    /// The shared directory.
    pub directory: SharedDirectory,
    /// The name of this process among the owners.
    pub member: String,
    /// Snapshot interval and linger.
    pub timing: Timing,
}

/// Snapshot interval and linger.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often snapshots are written; input after the last snapshot is recomputed after a crash.
    pub snapshot_every: Duration,
    /// How long a batch waits to fill; overrides each stage's own constant.
    pub linger: Option<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Self { snapshot_every: Duration::from_secs(5), linger: None }
    }
}

/// Runs a stage until `shutdown`; `new_stage` creates it for each set of units. Fails where a restart cannot help: a
/// snapshot of another version, or messages that this reader has lost.
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
        info!(stage = S::NAME, ?units, "stage started");
        let stop = shutdown.child_token();
        let publisher = Publisher::new(&deps.log, PublisherSettings::default());
        let delivery = Delivery::new(S::NAME, publisher, deps.commands.clone(), stop.clone());
        let directory = deps.directory.clone();
        let mut consumer =
            StageConsumer::new(new_stage(), &units, directory, delivery, snapshots.clone(), deps.timing.snapshot_every);
        let ended = run_until_ownership_changes::<S>(&deps, &mut consumer, &units, &mut owned, stop).await;
        pause_or_fail::<S>(ended, &shutdown).await?;
        if let Err(failure) = consumer.write_all().await {
            warn!(stage = S::NAME, error = error_chain(&failure), "cannot write the last snapshot");
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

/// Waits until the process owns other units.
async fn ownership_changed<S: Stage>(units: &BTreeSet<u16>, owned: &mut watch::Receiver<BTreeSet<u16>>) {
    let other = owned.wait_for(|now| units_of::<S>(now) != *units).await.is_ok();
    if !other {
        // The membership has ended, so ownership no longer changes.
        std::future::pending::<()>().await;
    }
}

/// Decides whether a stage may be restarted after its loop ended, and pauses before the restart.
async fn pause_or_fail<S: Stage>(
    ended: Result<(), consumer::Error>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let Err(failure) = ended else { return Ok(()) };
    // A restart reads the snapshots again, so it helps where another owner wrote them or the log was unavailable.
    let may_restart = match &failure {
        consumer::Error::Stopped { .. } | consumer::Error::ReadersEnded => true,
        consumer::Error::Resume { source, .. } => {
            !source.downcast_ref::<SnapshotError>().is_some_and(SnapshotError::is_final)
        }
        _ => false,
    };
    if !may_restart {
        return Err(Error::Stage { stage: S::NAME, source: failure });
    }
    if !shutdown.is_cancelled() {
        warn!(stage = S::NAME, error = error_chain(&failure), "stage failed; restarting");
        shutdown.run_until_cancelled(sleep(RESTART_PAUSE)).await;
    }
    Ok(())
}

fn units_of<S: Stage>(partitions: &BTreeSet<u16>) -> BTreeSet<u16> {
    partitions.range(..S::UNITS).copied().collect()
}
