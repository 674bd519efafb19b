//! How the API is served: where it listens, what it believes of its clients, and how much it lets them do.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use serving::Listen;

/// How the API is served.
#[derive(Debug)]
pub struct Config {
    /// Where the API listens.
    pub listen: Listen,
    /// The listener for enrolment; `None` if devices cannot enrol.
    pub enroll: Option<EnrollConfig>,
    /// How requests are treated.
    pub http: Http,
    /// Whether this process also runs the background jobs. Every process does, except in tests whose clock is ahead: it
    /// would take over attempts that another process has just begun.
    pub jobs: bool,
}

/// The listener for enrolment.
#[derive(Debug)]
pub struct EnrollConfig {
    /// Where it listens.
    pub listen: Listen,
    /// The server side of TLS. It requests a client certificate, does not require one, and checks only that the client
    /// holds the certificate's key.
    pub tls: Arc<ServerConfig>,
}

/// How requests are treated.
#[derive(Clone, Debug)]
pub struct Http {
    /// Rate limits.
    pub limits: Limits,
    /// Whether the refresh cookie is marked `Secure`; browsers then send it over HTTPS only, and to `localhost`.
    pub secure_cookies: bool,
    /// How many reverse proxies in front append the client's address to `X-Forwarded-For`.
    pub trusted_proxies: u8,
}

impl Default for Http {
    fn default() -> Self {
        Self { limits: Limits::default(), secure_cookies: true, trusted_proxies: 0 }
    }
}

/// Rate limits; 0 means unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests per minute of one user or API key.
    pub requests_per_minute: u32,
    /// Requests per minute from one IP address.
    pub requests_per_minute_per_address: u32,
    /// Failed sign-ins with one e-mail address within the window.
    pub failed_sign_ins_per_email: u32,
    /// Failed sign-ins from one IP address within the window.
    pub failed_sign_ins_per_address: u32,
    /// How long a failed sign-in counts.
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

/// The URLs at which devices reach the platform, as their configuration bundles name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceUrls {
    /// `mqtts://host:port`.
    pub mqtt_url: String,
    /// `https://host:port/api/v1/telemetry`; `None` if telemetry over HTTP is disabled.
    pub telemetry_url: Option<String>,
    /// `https://host:port/api/v1/enroll`; `None` if enrolment is disabled.
    pub enroll_url: Option<String>,
}
