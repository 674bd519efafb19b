//! The time range and the number of points that a request asks for. Pagination of lists is in `paging`.

use chrono::TimeDelta;

use crate::prelude::*;

/// Default number of points in a response.
const USUAL_LIMIT: i64 = 1000;
/// Maximum number of points in a response.
pub const MOST: i64 = 10_000;

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
        Ok(Self { from: bound(from.into()), until: bound(until.into()), limit })
    }
}

/// Returns a bound of a range in the whole microseconds in which times are stored. It is rounded up, so that the same
/// times are at or after it, and before it.
pub fn bound(at: Time) -> DateTime<Utc> {
    let over = i64::from(at.0.timestamp_subsec_nanos() % 1_000);
    at.0 + TimeDelta::nanoseconds((1_000 - over) % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_within_a_microsecond_excludes_what_was_measured_before_it() {
        let at = |nanos: u32| DateTime::from_timestamp(1_790_000_000, nanos).unwrap();
        let bounds = [0, 1, 999, 1_000, 999_999_001].map(|nanos| bound(at(nanos).into()) - at(0));
        assert_eq!(bounds.map(|bound| bound.num_nanoseconds().unwrap()), [0, 1_000, 1_000, 1_000, 1_000_000_000]);
    }
}
