//! The limits and the counters they apply to.

use projections::RateLimits;

use crate::config::Limits;

/// Counts requests and failed sign-ins, and refuses those above a limit.
pub struct Limiter {
    pub(super) limits: Limits,
    pub(super) counters: RateLimits,
}

impl Limiter {
    pub(crate) fn new(limits: Limits, counters: RateLimits) -> Self {
        Self { limits, counters }
    }

    /// Returns the counters.
    pub(crate) fn counters(&self) -> &RateLimits {
        &self.counters
    }
}
