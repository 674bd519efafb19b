//! The configuration of the stages.

use anyhow::ensure;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What the stages take; all processes of the role `process` are to have the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSettings {
    /// How many seconds a device's clock may be ahead when its reading arrives; what is further ahead goes to the dead
    /// letters.
    pub clock_ahead_seconds: u32,
}

/// Readings of the hour after next would be in hours that the history takes for untouched.
const MOST_AHEAD_SECONDS: u32 = 3_600;

impl Default for StageSettings {
    fn default() -> Self {
        Self { clock_ahead_seconds: 300 }
    }
}

impl StageSettings {
    /// Returns how far a clock may be ahead. Errors when that is more than an hour.
    pub fn ahead(&self) -> anyhow::Result<TimeDelta> {
        let seconds = self.clock_ahead_seconds;
        ensure!(
            seconds <= MOST_AHEAD_SECONDS,
            "process.clock_ahead_seconds is {seconds}, which is more than {MOST_AHEAD_SECONDS}"
        );
        Ok(TimeDelta::seconds(seconds.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_an_hour_ahead_and_no_more() {
        let ahead = |clock_ahead_seconds| StageSettings { clock_ahead_seconds }.ahead();
        assert_eq!(StageSettings::default().ahead().unwrap(), TimeDelta::minutes(5));
        assert_eq!((ahead(0).unwrap(), ahead(3_600).unwrap()), (TimeDelta::zero(), TimeDelta::hours(1)));
        let refused = ahead(3_601).unwrap_err().to_string();
        assert_eq!(refused, "process.clock_ahead_seconds is 3601, which is more than 3600");
    }
}
