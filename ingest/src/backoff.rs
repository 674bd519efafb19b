//! The delays between attempts to reconnect to a broker.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// The delay before the first attempt.
const MIN_DELAY: Duration = Duration::from_millis(100);
/// The longest delay.
pub const MAX_DELAY: Duration = Duration::from_secs(5);

/// Returns exponentially growing delays with jitter, without end: 100 ms at first, 5 s at most.
pub fn reconnect_delays() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(MIN_DELAY)
        .with_max_delay(MAX_DELAY)
        .without_max_times()
        .with_jitter()
        .build()
}
