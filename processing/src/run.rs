//! Entry point of the processing role: joins the membership, folds the directory and runs the configured stages
//! concurrently.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use commands::Commands;
use domain::telemetry::payload::ClockBounds;
use eventlog::{Log, Member, Membership, Publisher, PublisherSettings};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::activity_creator::ActivityCreator;
use crate::asset_combiner::AssetCombiner;
use crate::asset_processor::AssetProcessor;
use crate::certificate_watch;
use crate::clock::Clock;
use crate::error::Error;
use crate::normalizer::Normalizer;
use crate::notifier::{Notifier, ReopeningNotifier};
use crate::overdue_watch;
use crate::redriver::Redriver;
use crate::rule_evaluator::RuleEvaluator;
use crate::shared_directory::SharedDirectory;
use crate::stage::{StageDeps, Timing, supervise};
use crate::ticker;

/// The dependencies of the role.
#[derive(Clone)]
pub struct Deps {
    /// The log.
    pub log: Log,
    /// Executes commands.
    pub commands: Commands,
    /// Wall clock for ticks, certificate expiry and overdue work; stages take time from the log.
    pub clock: Clock,
}

/// A part of the role that can run on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageName {
    /// Turns raw payloads into normalised readings.
    Normalizer,
    /// Turns normalised readings into asset values.
    AssetProcessor,
    /// Turns asset values into computed values and health scores.
    AssetCombiner,
    /// Turns readings, values and presence into alarms and threshold events.
    RuleEvaluator,
    /// Turns threshold events into work orders.
    ActivityCreator,
    /// Turns threshold events and reopened alarms into notification requests.
    Notifier,
    /// Reports certificates that expire and revokes superseded ones.
    CertificateWatch,
    /// Reports overdue activities.
    OverdueWatch,
    /// Publishes redriven dead letters to the raw stream.
    Redriver,
    /// Writes the ticks of the log's clock.
    Ticker,
}

impl StageName {
    /// Every part.
    pub const ALL: [StageName; 10] = [
        Self::Normalizer,
        Self::AssetProcessor,
        Self::AssetCombiner,
        Self::RuleEvaluator,
        Self::ActivityCreator,
        Self::Notifier,
        Self::CertificateWatch,
        Self::OverdueWatch,
        Self::Redriver,
        Self::Ticker,
    ];

    /// Returns its name in configuration, metrics and partition ownership.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normalizer => "normalizer",
            Self::AssetProcessor => "asset_processor",
            Self::AssetCombiner => "asset_combiner",
            Self::RuleEvaluator => "rule_evaluator",
            Self::ActivityCreator => "activity_creator",
            Self::Notifier => "notifier",
            Self::CertificateWatch => certificate_watch::NAME,
            Self::OverdueWatch => overdue_watch::NAME,
            Self::Redriver => "redriver",
            Self::Ticker => ticker::NAME,
        }
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name is not that of a stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no stage {0:?}")]
pub struct NoStage(pub String);

impl FromStr for StageName {
    type Err = NoStage;
    fn from_str(text: &str) -> Result<Self, NoStage> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or_else(|| NoStage(text.to_owned()))
    }
}

/// The configuration of the role.
#[derive(Clone, Debug)]
pub struct Config {
    /// The parts that this process runs.
    pub stages: Vec<StageName>,
    /// This process among the owners of partitions. The name determines only what the process owns: a process that
    /// restarts under another name resumes the work all the same.
    pub member: Member,
    /// The most that a device's clock may be ahead.
    pub ahead: TimeDelta,
    /// How often snapshots are written, and how long a batch waits to fill.
    pub timing: Timing,
}

impl Config {
    /// Returns the configuration of a process that runs every part.
    pub fn new(member: impl Into<Member>) -> Self {
        Self {
            stages: StageName::ALL.to_vec(),
            member: member.into(),
            ahead: ClockBounds::default().ahead,
            timing: Timing::default(),
        }
    }
}

/// Runs the role until `shutdown` is cancelled and all stages have drained, or until a stage fails for good.
pub async fn run(deps: Deps, config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    // Stops every stage when one fails, or when this future is dropped.
    let stop = shutdown.child_token();
    let _stop = stop.clone().drop_guard();
    let background = CancellationToken::new();
    let _background = background.clone().drop_guard();
    let directory = SharedDirectory::open(&deps.log, background.clone()).await;
    directory.first_caught_up().await.map_err(Error::Directory)?;
    let kinds: Vec<&str> = config.stages.iter().map(|stage| stage.as_str()).collect();
    let membership =
        Membership::join(&deps.log, config.member.clone(), &kinds, background.clone()).await.map_err(Error::Join)?;
    let member = config.member.name().to_owned();
    info!(member, stages = ?kinds, position = directory.read().position(), "processing started");
    let stage_deps = StageDeps {
        log: deps.log.clone(),
        commands: deps.commands.clone(),
        directory: directory.clone(),
        member,
        timing: config.timing,
    };
    let mut running = JoinSet::new();
    let stopped = stop.clone();
    running.spawn(async move {
        let ended = stopped.run_until_cancelled(directory.failed()).await;
        ended.map_or(Ok(()), |failure| Err(Error::Directory(failure)))
    });
    for stage in BTreeSet::from_iter(config.stages.iter().copied()) {
        let owned = membership.owned(stage.as_str());
        start(&mut running, stage, &stage_deps, &deps, config.ahead, owned, stop.clone());
    }
    let ended = drain(running, &stop).await;
    // Leave only now: another process may take over the partitions as soon as this one has left.
    membership.leave().await;
    ended
}

/// Waits until all stages have ended. The first error stops the others.
async fn drain(mut running: JoinSet<Result<(), Error>>, stop: &CancellationToken) -> Result<(), Error> {
    let mut result = Ok(());
    while let Some(ended) = running.join_next().await {
        let ended = ended.unwrap_or_else(|died| Err(Error::Died(died)));
        if ended.is_err() {
            stop.cancel();
            result = result.and(ended);
        }
    }
    result
}

fn start(
    running: &mut JoinSet<Result<(), Error>>,
    stage: StageName,
    stage_deps: &StageDeps,
    deps: &Deps,
    ahead: TimeDelta,
    owned: watch::Receiver<BTreeSet<u16>>,
    stop: CancellationToken,
) {
    let with = stage_deps.clone();
    match stage {
        StageName::Normalizer => drop(running.spawn(supervise(with, move || Normalizer { ahead }, owned, stop))),
        StageName::AssetProcessor => drop(running.spawn(supervise(with, || AssetProcessor, owned, stop))),
        StageName::AssetCombiner => drop(running.spawn(supervise(with, || AssetCombiner, owned, stop))),
        StageName::RuleEvaluator => drop(running.spawn(supervise(with, || RuleEvaluator, owned, stop))),
        StageName::ActivityCreator => drop(running.spawn(supervise(with, || ActivityCreator, owned, stop))),
        StageName::Notifier => {
            running.spawn(supervise(with.clone(), || ReopeningNotifier, owned.clone(), stop.clone()));
            running.spawn(supervise(with, || Notifier, owned, stop));
        }
        StageName::CertificateWatch => {
            let watch = certificate_watch::run(deps.commands.clone(), with.directory, deps.clock.clone(), owned, stop);
            running.spawn(async move {
                watch.await;
                Ok(())
            });
        }
        StageName::OverdueWatch => {
            let watch = overdue_watch::run(deps.log.clone(), deps.commands.clone(), deps.clock.clone(), owned, stop);
            running.spawn(async move {
                watch.await;
                Ok(())
            });
        }
        StageName::Redriver => drop(running.spawn(supervise(with, || Redriver, owned, stop))),
        StageName::Ticker => {
            let publisher = Publisher::new(&deps.log, PublisherSettings::default());
            let ticks = ticker::run(publisher, with.directory, deps.clock.clone(), owned, stop);
            running.spawn(async move {
                ticks.await;
                Ok(())
            });
        }
    }
}
