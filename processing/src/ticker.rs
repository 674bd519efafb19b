//! The log's clock: one message a second, written by the one process that owns it.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use eventlog::{Headers, Publisher, Stream};
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
    }
}
