//! The condition of a rule.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Comparison, Criterion, Operator, Schedule};
use crate::validation::MAX_DURATION_SECONDS;

/// Default maximum gap between two values within a duration: one hour.
pub const DEFAULT_MAX_GAP_SECONDS: u32 = 3_600;

/// A criterion with its duration, schedule and clearing criterion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The criterion of a breach.
    #[serde(flatten)]
    pub criterion: Criterion,
    /// How long the criterion must hold, seconds by the device's clock.
    #[serde(default)]
    pub duration_seconds: u32,
    /// Maximum gap between values, seconds; a longer gap restarts the duration. One hour when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_gap_seconds: Option<u32>,
    /// The criterion for the return to normal; when absent, the alarm returns to normal once `criterion` no longer
    /// holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<Criterion>,
    /// When a breach may begin; at any time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

impl Condition {
    /// Returns a condition that is met as soon as the criterion holds, at any time.
    pub const fn of(criterion: Criterion) -> Self {
        Self { criterion, duration_seconds: 0, max_gap_seconds: None, clear: None, schedule: None }
    }

    /// Returns a condition that is met as soon as the rule's own metric compares so, at any time.
    pub const fn comparing(operator: Operator, value: f64) -> Self {
        Self::of(Criterion::Compare(Comparison::new(operator, value)))
    }

    /// Returns whether a breach may begin at a time.
    pub fn is_scheduled(&self, at: DateTime<Utc>) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.contains(at))
    }

    /// Returns the comparison if the condition depends on the newest value of a single metric only.
    pub fn single(&self) -> Option<&Comparison> {
        if self.clear.is_none() { self.criterion.single() } else { None }
    }

    /// Returns whether the passage of time alone can begin or end a breach.
    pub fn is_timed(&self) -> bool {
        self.criterion.is_timed() || self.clear.as_ref().is_some_and(Criterion::is_timed)
    }

    /// Lists the metrics that it uses; `own` is the rule's own metric.
    pub fn metrics<'c>(&'c self, own: &'c str) -> Vec<&'c str> {
        let mut found = Vec::new();
        self.criterion.metrics(own, &mut found);
        self.clear.iter().for_each(|clear| clear.metrics(own, &mut found));
        found
    }

    /// Returns the maximum gap between values within a duration, seconds.
    pub fn gap_bound(&self) -> u32 {
        self.max_gap_seconds.unwrap_or(DEFAULT_MAX_GAP_SECONDS)
    }

    /// Returns the first error in the condition, if any.
    pub fn problem(&self) -> Option<&'static str> {
        let too_long = |seconds: u32| seconds > MAX_DURATION_SECONDS;
        if too_long(self.duration_seconds) {
            return Some("durationSeconds must be at most 2592000");
        }
        if self.max_gap_seconds.is_some_and(|gap| gap == 0 || too_long(gap)) {
            return Some("maxGapSeconds must be 1 to 2592000");
        }
        let of = |criterion: &Criterion| criterion.problem();
        of(&self.criterion)
            .or_else(|| self.clear.as_ref().and_then(of))
            .or_else(|| self.schedule.as_ref().and_then(Schedule::problem))
    }
}
