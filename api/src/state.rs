//! What every endpoint may use. What does not live here: what they do with it.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::{Clock, Commands};
use eventlog::Log;
use projections::{Feed, RateLimits, Reader};

use crate::auth::Tokens;
use crate::circuit_breaker::Breaker;
use crate::mail::Mailer;
use crate::notifying::WebhookSender;
use crate::rate_limits::Limiter;
use crate::server::Http;

/// What the API is given by the composition root.
pub struct Deps {
    /// Takes commands.
    pub commands: Commands,
    /// Reads the read models.
    pub reader: Reader,
    /// The log: the live feed reads it, and readiness asks it.
    pub log: Log,
    /// Signs access tokens (HMAC-SHA-256); at least 32 octets, the same in every process of an installation.
    pub signing_secret: Vec<u8>,
    /// The installation's root certificate, PEM.
    pub root_certificate_pem: String,
    /// Renders the process's metrics as Prometheus text.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The clock.
    pub clock: Clock,
    /// Where devices find the platform.
    pub device_urls: DeviceUrls,
    /// Sends mail; without it nobody is told anything.
    pub mailer: Option<Mailer>,
    /// Sends webhooks.
    pub webhooks: WebhookSender,
}

/// Where devices find the platform, as their configuration names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceUrls {
    /// `mqtts://host:port`.
    pub mqtt_url: String,
    /// `https://host:port/api/v1/telemetry`, where that door is open.
    pub telemetry_url: Option<String>,
    /// `https://host:port/api/v1/enroll`, where that door is open.
    pub enroll_url: Option<String>,
}

/// A cheap handle to what every endpoint may use.
#[derive(Clone)]
pub struct State(Arc<Inner>);

/// What a [`State`] points to.
pub struct Inner {
    pub(crate) commands: Commands,
    pub(crate) reader: Reader,
    pub(crate) feed: Feed,
    pub(crate) log: Log,
    pub(crate) tokens: Tokens,
    pub(crate) root_certificate_pem: String,
    pub(crate) metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) breaker: Breaker,
    pub(crate) device_urls: DeviceUrls,
    pub(crate) limiter: Limiter,
    pub(crate) secure_cookies: bool,
    pub(crate) trusted_proxies: u8,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) webhooks: Arc<WebhookSender>,
    clock: Clock,
}

impl State {
    pub(crate) fn new(deps: Deps, http: Http, breaker: Breaker) -> Self {
        let limiter = Limiter::new(http.limits, RateLimits::new(&deps.reader));
        Self(Arc::new(Inner {
            commands: deps.commands,
            reader: deps.reader,
            feed: Feed::new(),
            log: deps.log,
            tokens: Tokens::new(&deps.signing_secret),
            root_certificate_pem: deps.root_certificate_pem,
            metrics: deps.metrics,
            breaker,
            device_urls: deps.device_urls,
            limiter,
            secure_cookies: http.secure_cookies,
            trusted_proxies: http.trusted_proxies,
            mailer: deps.mailer,
            webhooks: Arc::new(deps.webhooks),
            clock: deps.clock,
        }))
    }

    /// Returns what time it is.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.0.clock)()
    }
}

impl Deref for State {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
