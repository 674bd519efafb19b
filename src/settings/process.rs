//! Settings of the stages.

use anyhow::ensure;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Settings of the `process` role; they must be the same in all its processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// How many seconds the measured time of a reading may be ahead of its arrival; readings further ahead are rejected to
    /// the dead letters.
    pub clock_ahead_seconds: u32,
}

/// Upper bound: a reading more than an hour ahead could fall into an hour that the history has not opened for writing yet.
const MAX_AHEAD_SECONDS: u32 = 3_600;

impl Default for Process {
    fn default() -> Self {
        Self { clock_ahead_seconds: 300 }
    }
}

impl Process {
    /// Returns how far a device's clock may be ahead. Errors when that is more than an hour.
    pub fn clock_ahead(&self) -> anyhow::Result<TimeDelta> {
        let seconds = self.clock_ahead_seconds;
        ensure!(
            seconds <= MAX_AHEAD_SECONDS,
            "process.clock_ahead_seconds is {seconds}: it must be at most {MAX_AHEAD_SECONDS}"
        );
        Ok(TimeDelta::seconds(seconds.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_at_most_an_hour_ahead() {
        let ahead = |clock_ahead_seconds| Process { clock_ahead_seconds }.clock_ahead();
        assert_eq!(Process::default().clock_ahead().unwrap(), TimeDelta::minutes(5));
        assert_eq!((ahead(0).unwrap(), ahead(3_600).unwrap()), (TimeDelta::zero(), TimeDelta::hours(1)));
        let refused = ahead(3_601).unwrap_err().to_string();
        assert_eq!(refused, "process.clock_ahead_seconds is 3601: it must be at most 3600");
    }
}
