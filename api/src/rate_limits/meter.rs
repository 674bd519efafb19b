//! A request's use of its rate limits, and the headers that report it. Each request carries one meter; it reports the
//! limit with the fewest requests remaining.

use std::sync::{Arc, Mutex, PoisonError};

use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};
use projections::rate_limits::WindowCount;

use crate::problem::{Kind, Problem};

/// Header: how many requests the limit allows.
pub const LIMIT: &str = "RateLimit-Limit";
/// Header: how many of them remain.
pub const REMAINING: &str = "RateLimit-Remaining";
/// Header: seconds until the window ends.
pub const RESET: &str = "RateLimit-Reset";

/// A request's use of its limits; clones share it.
#[derive(Clone, Default)]
pub struct Meter(Arc<Mutex<Option<Used>>>);

#[derive(Clone, Copy)]
struct Used {
    limit: u64,
    remaining: u64,
    reset_seconds: u64,
}

impl Meter {
    /// Records a count against its limit; a count above the limit is refused.
    pub(super) fn note(&self, counted: WindowCount, limit: u32, what: &str) -> Result<(), Problem> {
        let limit = u64::from(limit);
        // Rounded up, so that a client that waits this long finds a new window.
        let reset_seconds = counted.resets_in.as_millis().div_ceil(1000).max(1) as u64;
        let used = Used { limit, remaining: limit.saturating_sub(counted.count), reset_seconds };
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.count > limit || present.is_none_or(|present| used.remaining < present.remaining) {
            *present = Some(used);
        }
        if counted.count <= limit {
            return Ok(());
        }
        Err(Problem::of(Kind::TooManyRequests, format_args!("{what}; try again in {reset_seconds} s")))
    }

    /// Adds the rate limit headers to a response, and `Retry-After` to a 429.
    pub fn add_headers(&self, response: &mut Response) {
        let Some(used) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else { return };
        let refused = response.status() == StatusCode::TOO_MANY_REQUESTS;
        let headers = response.headers_mut();
        headers.insert(LIMIT, HeaderValue::from(used.limit));
        headers.insert(REMAINING, HeaderValue::from(used.remaining));
        headers.insert(RESET, HeaderValue::from(used.reset_seconds));
        if refused {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(used.reset_seconds));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn counted(count: u64) -> WindowCount {
        WindowCount { count, resets_in: Duration::from_millis(1_001) }
    }

    fn headers(meter: &Meter, status: StatusCode) -> Vec<Option<String>> {
        let mut response = Response::builder().status(status).finish();
        meter.add_headers(&mut response);
        [LIMIT, REMAINING, RESET, "Retry-After"].map(|name| response.header(name).map(str::to_owned)).to_vec()
    }

    fn some(values: [&str; 3]) -> Vec<Option<String>> {
        values.into_iter().map(|value| Some(value.to_owned())).chain([None]).collect()
    }

    #[test]
    fn the_limit_with_the_fewest_remaining_requests_is_reported() {
        let meter = Meter::default();
        assert_eq!(headers(&meter, StatusCode::OK), [None, None, None, None]);
        meter.note(counted(1), 100, "x").unwrap();
        meter.note(counted(8), 10, "x").unwrap();
        meter.note(counted(5), 50, "x").unwrap();
        assert_eq!(headers(&meter, StatusCode::OK), some(["10", "2", "2"]));
    }

    #[test]
    fn a_request_above_a_limit_is_refused_with_the_time_to_retry() {
        let meter = Meter::default();
        meter.note(counted(10), 10, "x").unwrap();
        let problem = meter.note(counted(11), 10, "too many requests").unwrap_err();
        assert_eq!((problem.status, problem.detail.as_deref()), (429, Some("too many requests; try again in 2 s")));
        let mut expected = some(["10", "0", "2"]);
        expected[3] = Some("2".to_owned());
        assert_eq!(headers(&meter, StatusCode::TOO_MANY_REQUESTS), expected);
    }
}
