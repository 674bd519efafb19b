//! Settings of the HTTP API's rate limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Rate limits of the HTTP API; 0 means unlimited.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests per minute of one user or API key.
    pub requests_per_minute: u32,
    /// Requests per minute from one IP address.
    pub requests_per_minute_per_address: u32,
    /// Failed sign-ins for one e-mail address within the window.
    pub failed_sign_ins_per_email: u32,
    /// Failed sign-ins from one IP address within the window.
    pub failed_sign_ins_per_address: u32,
    /// Length of the window, seconds; at least 1.
    pub failed_sign_in_window_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: 60_000,
            requests_per_minute_per_address: 120_000,
            failed_sign_ins_per_email: 20,
            failed_sign_ins_per_address: 200,
            failed_sign_in_window_seconds: 900,
        }
    }
}

impl Limits {
    /// Returns the limits as the API takes them.
    pub fn api(&self) -> api::Limits {
        api::Limits {
            requests_per_minute: self.requests_per_minute,
            requests_per_minute_per_address: self.requests_per_minute_per_address,
            failed_sign_ins_per_email: self.failed_sign_ins_per_email,
            failed_sign_ins_per_address: self.failed_sign_ins_per_address,
            failed_sign_in_window: Duration::from_secs(self.failed_sign_in_window_seconds.max(1).into()),
        }
    }
}
