//! A rule's condition.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Comparison, Criterion, Operator, Schedule};
use crate::validation::MAX_DURATION_SECONDS;

/// The longest gap between two values over which a condition is taken to have held, where a rule names none: an hour.
pub const DEFAULT_MAX_GAP_SECONDS: u32 = 3_600;

/// What must hold, for how long and when, and what ends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// What must hold.
    #[serde(flatten)]
    pub criterion: Criterion,
    /// How long it must hold, seconds by the device's clock.
    #[serde(default)]
    pub duration_seconds: u32,
    /// A gap between values that is longer than this breaks the duration; an hour when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_gap_seconds: Option<u32>,
    /// What must hold for the alarm to return to normal; that the criterion no longer holds, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<Criterion>,
    /// When a breach may begin; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

impl Condition {
    /// A criterion that counts at once, at all times.
    pub const fn of(criterion: Criterion) -> Self {
        Self { criterion, duration_seconds: 0, max_gap_seconds: None, clear: None, schedule: None }
    }

    /// One comparison of the rule's own metric, that counts at once and at all times.
    pub const fn comparing(operator: Operator, value: f64) -> Self {
        Self::of(Criterion::Compare(Comparison::new(operator, value)))
    }

    /// Tells whether a breach may begin at a time.
    pub fn is_scheduled(&self, at: DateTime<Utc>) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.contains(at))
    }

    /// Returns the comparison where one metric's value decides everything.
    pub fn single(&self) -> Option<&Comparison> {
        if self.clear.is_none() { self.criterion.single() } else { None }
    }

    /// Tells whether time alone can begin or end a breach.
    pub fn is_timed(&self) -> bool {
        self.criterion.is_timed() || self.clear.as_ref().is_some_and(Criterion::is_timed)
    }

    /// Lists the metrics it asks for, the rule's own by this name.
    pub fn metrics<'c>(&'c self, own: &'c str) -> Vec<&'c str> {
        let mut found = Vec::new();
        self.criterion.metrics(own, &mut found);
        self.clear.iter().for_each(|clear| clear.metrics(own, &mut found));
        found
    }

    /// Returns the longest gap over which it is taken to have held, seconds.
    pub fn gap_bound(&self) -> u32 {
        self.max_gap_seconds.unwrap_or(DEFAULT_MAX_GAP_SECONDS)
    }

    /// Says what makes no sense in it.
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
