//! What every endpoint and background job may use: commands, read models, log, limits, clock.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::{Clock, Commands};
use eventlog::Log;
use projections::{Feed, Reader};

use crate::auth::token::Tokens;
use crate::circuit_breaker::Breaker;
use crate::config::DeviceUrls;
use crate::rate_limits::limiter::Limiter;

/// A cheap handle to what endpoints and jobs share.
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
    pub(crate) breaker: Breaker,
    pub(crate) device_urls: DeviceUrls,
    pub(crate) limiter: Limiter,
    pub(crate) secure_cookies: bool,
    pub(crate) trusted_proxies: u8,
    pub(crate) clock: Clock,
}

impl State {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Returns the current time of the injected clock.
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
