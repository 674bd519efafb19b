//! Writes the log's clock: a tick every 5 s into each partition of the readings and of the asset values. The rule
//! evaluator takes time from these ticks, so that silences and the end of shelving are found without a reading.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::telemetry::{AssetPack, CLOCK_SOURCE, ClockTick, NormalizedPack, encode_pack};
use eventlog::{Headers, PARTITIONS, Publisher, Stream, error_chain};
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::clock::Clock;
use crate::shared_directory::SharedDirectory;

/// Kind of ownership; the owner of its partition 0 writes the ticks.
pub const NAME: &str = "ticker";
/// How often a process checks whether it must write a tick, so that a new owner takes over within a second.
const CHECK_PERIOD: Duration = Duration::from_secs(1);
/// Time between ticks, seconds.
const TICK_PERIOD_SECONDS: i64 = 5;

/// Writes ticks while this process owns the clock, until `shutdown`. Two owners may overlap for a moment: an additional
/// tick has no effect.
pub async fn run(
    publisher: Publisher,
    directory: SharedDirectory,
    clock: Clock,
    owned: watch::Receiver<BTreeSet<u16>>,
    shutdown: CancellationToken,
) {
    let mut checks = interval(CHECK_PERIOD);
    let mut last = DateTime::UNIX_EPOCH;
    checks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while shutdown.run_until_cancelled(checks.tick()).await.is_some() {
        let now = clock();
        if owned.borrow().contains(&0) && (now - last).num_seconds() >= TICK_PERIOD_SECONDS {
            last = now;
            let es_position = directory.read().position();
            tick(&publisher, now, es_position).await;
        }
    }
}

/// Writes one tick to every partition of the readings and of the asset values.
async fn tick(publisher: &Publisher, now: DateTime<Utc>, es_position: u64) {
    let clock = Some(ClockTick::new(now));
    let readings = encode_pack(&NormalizedPack { es_position, tick: clock, ..NormalizedPack::default() });
    let values = encode_pack(&AssetPack { es_position, tick: clock, ..AssetPack::default() });
    for (stream, pack) in [(Stream::TelemetryNormalized, readings), (Stream::TelemetryAsset, values)] {
        // Encoding into memory cannot fail.
        let payload = Bytes::from(pack.unwrap_or_default());
        let stored = (0..PARTITIONS).map(|partition| {
            let (payload, tail) = (payload.clone(), format!("{partition}.{CLOCK_SOURCE}"));
            async move { publisher.publish(stream, &tail, Headers::new(), payload).await }
        });
        let failed = join_all(stored).await.into_iter().filter_map(Result::err).next();
        if let Some(failure) = failed {
            warn!(error = error_chain(&failure), "cannot write a tick");
        }
    }
}
