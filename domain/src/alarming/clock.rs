//! A clock driven by the ticks in a stream. Only ticks advance it, so that replaying the stream gives the same times.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Maximum pause between ticks, seconds. After a longer one the platform is assumed to have been down and to have
/// missed data.
const BREAK_SECONDS: i64 = 20;

/// The current time and the start of uninterrupted operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The time of the last tick.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub now: DateTime<Utc>,
    /// The first tick since the last interruption. Silence is measured from here at the earliest, because no data could
    /// arrive before.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub since: DateTime<Utc>,
}

impl Clock {
    /// Advances the clock to a tick; ignores a tick that is not later than the last.
    pub fn tick(&mut self, at: DateTime<Utc>) {
        if at <= self.now {
            return;
        }
        if at - self.now > TimeDelta::seconds(BREAK_SECONDS) {
            self.since = at;
        }
        self.now = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_pause_between_ticks_restarts_the_uninterrupted_time() {
        let at = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap();
        let mut clock = Clock::default();
        let mut tick = |seconds| {
            clock.tick(at(seconds));
            (clock.now, clock.since)
        };
        assert_eq!(tick(0), (at(0), at(0)));
        assert_eq!(tick(20), (at(20), at(0)));
        assert_eq!(tick(10), (at(20), at(0)));
        assert_eq!(tick(41), (at(41), at(41)));
    }
}
