//! The log's clock within the streams of readings and values. A stage that acts on time alone finds it there in an order
//! that is stored, and comes to the same end each time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Origin;

/// Subject token that names the clock as the source of a pack.
pub const CLOCK_SOURCE: &str = "clock";

/// One tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTick {
    /// Later ticks have later origins, whoever writes them.
    pub origin: Origin,
    /// When, by the platform's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
}

impl ClockTick {
    /// A tick of a time.
    pub fn new(at: DateTime<Utc>) -> Self {
        // The platform's clock stands after 1970.
        let sequence = u64::try_from(at.timestamp_micros()).unwrap_or_default();
        Self { origin: Origin { sequence, ordinal: 0 }, at }
    }
}
