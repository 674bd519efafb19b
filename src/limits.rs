//! How much is too much for the HTTP API, as it is configured. What does not live here: counting.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// How much is too much for the HTTP API; 0 is no limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests a minute of one user or key.
    pub requests_per_minute: u32,
    /// Requests a minute from one address.
    pub requests_per_minute_per_address: u32,
    /// Failed sign-ins with one e-mail address in the window.
    pub failed_sign_ins_per_email: u32,
    /// Failed sign-ins from one address in the window.
    pub failed_sign_ins_per_address: u32,
    /// The window, in seconds.
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

/// What is between the API and its clients.
pub fn http(settings: &Settings) -> api::Http {
    let limits = &settings.limits;
    api::Http {
        limits: api::Limits {
            requests_per_minute: limits.requests_per_minute,
            requests_per_minute_per_address: limits.requests_per_minute_per_address,
            failed_sign_ins_per_email: limits.failed_sign_ins_per_email,
            failed_sign_ins_per_address: limits.failed_sign_ins_per_address,
            failed_sign_in_window: Duration::from_secs(limits.failed_sign_in_window_seconds.max(1).into()),
        },
        secure_cookies: settings.http.secure_cookies,
        trusted_proxies: settings.http.trusted_proxies,
    }
}
