//! How much is too much: requests of a user, a key, an address; failed sign-ins. Counted in Redis for all API processes
//! together; while Redis is away requests pass uncounted. What does not live here: the counters (`projections`).

mod address;
mod meter;
mod requests;
mod sign_in;

use std::time::Duration;

use projections::RateLimits;

pub use address::ClientAddress;
pub use meter::Meter;
pub use requests::Limited;

/// How much is too much; 0 is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute of one user or key.
    pub requests_per_minute: u32,
    /// Requests a minute from one address.
    pub requests_per_minute_per_address: u32,
    /// Failed sign-ins with one e-mail address in the window.
    pub failed_sign_ins_per_email: u32,
    /// Failed sign-ins from one address in the window.
    pub failed_sign_ins_per_address: u32,
    /// How long failed sign-ins count.
    pub failed_sign_in_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: 60_000,
            requests_per_minute_per_address: 120_000,
            failed_sign_ins_per_email: 20,
            failed_sign_ins_per_address: 200,
            failed_sign_in_window: Duration::from_secs(15 * 60),
        }
    }
}

/// Counts and refuses.
pub struct Limiter {
    limits: Limits,
    counters: RateLimits,
}

impl Limiter {
    pub(crate) fn new(limits: Limits, counters: RateLimits) -> Self {
        Self { limits, counters }
    }

    /// The counters themselves.
    pub(crate) fn counters(&self) -> &RateLimits {
        &self.counters
    }
}
