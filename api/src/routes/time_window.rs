//! The time range and the number of points that a request asks for. Pagination of lists is in `paging`.

use chrono::TimeDelta;

use crate::prelude::*;

/// Default and maximum number of points in a response.
const USUAL_LIMIT: i64 = 1000;
const MOST: i64 = 10_000;

/// A half-open range of time and the maximum number of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Start, inclusive.
    pub from: DateTime<Utc>,
    /// End, exclusive.
    pub until: DateTime<Utc>,
    /// Maximum number of points, 1 to 10,000.
    pub limit: i64,
}

impl TimeWindow {
    /// Reads the parameters: the range ends now by default, and starts 24 hours before its end.
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
            return Err(Problem::parameter("limit", format_args!("must be from 1 to {MOST}")));
        }
        if from >= until {
            return Err(Problem::parameter("startTime", "must be earlier than endTime"));
        }
        Ok(Self { from, until, limit })
    }
}
