//! Which time is asked about, and how much of it. What does not live here: pages of lists.

use chrono::TimeDelta;

use crate::prelude::*;

/// Points of an answer if nothing is said, and at most.
const USUAL_LIMIT: i64 = 1000;
const MOST: i64 = 10_000;

/// A span of time, from the first to before the last, and how many points of it are wanted at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// The beginning.
    pub from: DateTime<Utc>,
    /// The end.
    pub until: DateTime<Utc>,
    /// 1 to 10,000.
    pub limit: i64,
}

impl TimeWindow {
    /// Reads what was asked: until now where no end is given, and from a day before that where no beginning is.
    pub fn new(
        start_time: Option<Time>,
        end_time: Option<Time>,
        limit: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let until = end_time.map_or(now, |at| at.0);
        let from = start_time.map_or_else(|| until.min(now) - TimeDelta::hours(24), |at| at.0);
        let limit = limit.unwrap_or(USUAL_LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::parameter("limit", format_args!("must lie in 1 to {MOST}")));
        }
        if from >= until {
            return Err(Problem::parameter("startTime", "must be earlier than endTime"));
        }
        Ok(Self { from, until, limit })
    }
}
