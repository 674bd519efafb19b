//! The log's clock, written by the one process that owns it: one message a second in a stream of its own, and one every
//! 5 s in each partition of the readings and the asset values, for what time alone can change there.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::telemetry::{AssetPack, CLOCK_SOURCE, ClockTick, NormalizedPack, encode_pack};
use eventlog::{Headers, PARTITIONS, Publisher, Stream};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::Clock;
use crate::directory::SharedDirectory;

/// Kind of ownership; whoever owns partition 0 of it writes.
pub const NAME: &str = "ticker";
/// Time between ticks.
const PERIOD: Duration = Duration::from_secs(1);
/// Time between ticks in the streams of readings and values, seconds.
const HANDED_ON_EVERY: i64 = 5;

/// One message of the tick stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// When, by the platform's clock.
    pub at: DateTime<Utc>,
    /// Position of the domain stream that the writer had folded.
    pub es_position: u64,
}

/// Writes ticks while this process owns the clock, until `shutdown`. Two owners may overlap for a moment: a tick too
/// many changes nothing.
pub async fn run(
    publisher: Publisher,
    directory: SharedDirectory,
    clock: Clock,
    owned: watch::Receiver<BTreeSet<u16>>,
    shutdown: CancellationToken,
) {
    let mut period = interval(PERIOD);
    let mut handed_on = DateTime::UNIX_EPOCH;
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while shutdown.run_until_cancelled(period.tick()).await.is_some() {
        if !owned.borrow().contains(&0) {
            continue;
        }
        let tick = Tick { at: clock(), es_position: directory.read().position() };
        let Ok(json) = serde_json::to_vec(&tick) else { continue };
        if let Err(failure) = publisher.publish(Stream::Ticks, "", Headers::new(), json.into()).await {
            warn!(error = &failure as &dyn std::error::Error, "a tick was not stored");
        }
        if (tick.at - handed_on).num_seconds() >= HANDED_ON_EVERY {
            handed_on = tick.at;
            hand_on(&publisher, tick).await;
        }
    }
}

/// Writes a tick to every partition of the readings and the asset values.
async fn hand_on(publisher: &Publisher, tick: Tick) {
    let (es_position, clock) = (tick.es_position, Some(ClockTick::new(tick.at)));
    let readings = encode_pack(&NormalizedPack { es_position, tick: clock, ..NormalizedPack::default() });
    let values = encode_pack(&AssetPack { es_position, tick: clock, ..AssetPack::default() });
    for (stream, pack) in [(Stream::TelemetryNormalized, readings), (Stream::TelemetryAsset, values)] {
        // Writing to memory does not fail.
        let payload = Bytes::from(pack.unwrap_or_default());
        let stored = (0..PARTITIONS).map(|partition| {
            let (payload, tail) = (payload.clone(), format!("{partition}.{CLOCK_SOURCE}"));
            async move { publisher.publish(stream, &tail, Headers::new(), payload).await }
        });
        let failed = join_all(stored).await.into_iter().filter_map(Result::err).next();
        if let Some(failure) = failed {
            warn!(error = &failure as &dyn std::error::Error, "a tick was not stored");
        }
    }
}
