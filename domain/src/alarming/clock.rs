//! The log's clock as a reader of a stream sees it: it moves by ticks alone, so that the same stream gives the same times.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A longer pause between two ticks means that the platform was not there to hear anything, seconds.
const BREAK_SECONDS: i64 = 20;

/// The time, and since when it has gone without a break.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The last tick.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub now: DateTime<Utc>,
    /// The first of the ticks that followed each other without a break: nothing counts as silent for longer.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub since: DateTime<Utc>,
}

impl Clock {
    /// Takes a tick; one that is not later than the last changes nothing.
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
    fn a_long_pause_between_ticks_begins_a_new_time() {
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
