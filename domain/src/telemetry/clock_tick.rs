//! Clock ticks within the streams of readings and asset values. Stages that act on the passage of time read it from
//! these streams: the order is stored, so a replay has the same result.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Origin;

/// Subject token for packs that contain clock ticks.
pub const CLOCK_SOURCE: &str = "clock";

/// A clock tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTick {
    /// Position of the tick. It derives from the time, so a later tick has a higher position, whichever process writes
    /// it.
    pub origin: Origin,
    /// The time, by the platform's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
}

impl ClockTick {
    /// Creates a tick for a time.
    pub fn new(at: DateTime<Utc>) -> Self {
        // The platform's clock is never before 1970, so the fallback is never used.
        let sequence = u64::try_from(at.timestamp_micros()).unwrap_or_default();
        Self { origin: Origin { sequence, ordinal: 0 }, at }
    }
}
