//! Request limits: per IP address before authentication, per user or API key after it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use poem::{Endpoint, Middleware, Request};

use super::{ClientAddress, Limiter, Meter};
use crate::auth::Principal;
use crate::problem::{Kind, Problem};
use crate::state::State;

/// The window of the request limits.
const MINUTE: Duration = Duration::from_secs(60);

impl Limiter {
    /// Counts a request of an IP address.
    async fn address(&self, meter: &Meter, address: ClientAddress) -> Result<(), Problem> {
        let limit = self.limits.requests_per_minute_per_address;
        self.request(meter, format!("address:{address}"), limit, "too many requests from this address").await
    }

    /// Counts a request of a user or API key, and records when the key was last used.
    pub(crate) async fn principal(
        &self,
        meter: &Meter,
        principal: Principal,
        now: DateTime<Utc>,
    ) -> Result<(), Problem> {
        let counting =
            self.request(meter, principal.actor().to_string(), self.limits.requests_per_minute, "too many requests");
        match principal {
            Principal::User(_) => counting.await,
            Principal::ApiKey(key) => tokio::join!(counting, self.counters.record_use(key.0, now)).0,
        }
    }

    async fn request(&self, meter: &Meter, name: String, limit: u32, what: &str) -> Result<(), Problem> {
        if limit == 0 {
            return Ok(());
        }
        match self.counters.count(&[(name, MINUTE)]).await.as_deref() {
            Some([counted]) => meter.note(*counted, limit, what),
            _ => Ok(()),
        }
    }
}

/// Middleware that limits the requests of each IP address.
pub struct Limited;

/// An endpoint behind the limit.
pub struct Behind<E>(E);

impl<E: Endpoint> Middleware<E> for Limited {
    type Output = Behind<E>;

    fn transform(&self, inner: E) -> Behind<E> {
        Behind(inner)
    }
}

impl<E: Endpoint> Endpoint for Behind<E> {
    type Output = E::Output;

    async fn call(&self, mut request: Request) -> poem::Result<E::Output> {
        let internal = || Problem::new(Kind::Internal);
        let state = request.data::<State>().ok_or_else(internal)?.clone();
        let meter = request.data::<Meter>().ok_or_else(internal)?.clone();
        let address = ClientAddress::of(&request, state.trusted_proxies);
        state.limiter.address(&meter, address).await?;
        request.set_data(address);
        self.0.call(request).await
    }
}
