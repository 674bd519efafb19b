//! What the composition root hands to the API, and how it is split between the endpoints and the background jobs.

use std::sync::Arc;

use commands::{Clock, Commands};
use eventlog::Log;
use projections::{Feed, RateLimits, Reader};
use serving::probes::Probe;

use crate::auth::Tokens;
use crate::circuit_breaker::Breaker;
use crate::config::{DeviceUrls, Http};
use crate::jobs::{Jobs, Mailer, WebhookSender};
use crate::rate_limits::Limiter;
use crate::state::{Inner, State};

/// What the composition root hands to the API.
pub struct Deps {
    /// Executes commands.
    pub commands: Commands,
    /// Reads the read models.
    pub reader: Reader,
    /// The log: the live feed reads it, and the circuit breaker watches it.
    pub log: Log,
    /// Signs access tokens (HMAC-SHA-256): at least 32 bytes, the same in every process of an installation.
    pub signing_secret: Vec<u8>,
    /// The installation's root certificate, PEM.
    pub root_certificate_pem: String,
    /// Answers `/health`, `/ready` and `/metrics`.
    pub probe: Probe,
    /// The clock.
    pub clock: Clock,
    /// The URLs at which devices reach the platform.
    pub device_urls: DeviceUrls,
    /// Sends e-mail; `None` if no mail server is configured.
    pub mailer: Option<Mailer>,
    /// Sends webhooks.
    pub webhooks: WebhookSender,
}

impl Deps {
    /// Splits the dependencies into the endpoints' state, the background jobs and the probe.
    pub(crate) fn split(self, http: Http, breaker: Breaker) -> (State, Jobs, Probe) {
        let limiter = Limiter::new(http.limits, RateLimits::new(&self.reader));
        let state = State::new(Inner {
            commands: self.commands,
            reader: self.reader,
            feed: Feed::new(),
            log: self.log,
            tokens: Tokens::new(&self.signing_secret),
            root_certificate_pem: self.root_certificate_pem,
            breaker,
            device_urls: self.device_urls,
            limiter,
            secure_cookies: http.secure_cookies,
            trusted_proxies: http.trusted_proxies,
            clock: self.clock,
        });
        (state, Jobs { mailer: self.mailer, webhooks: Arc::new(self.webhooks) }, self.probe)
    }
}
