//! The HTTP door: its listener, routes and per-device rate limits. The endpoints are in `telemetry`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dashmap::DashMap;
use domain::ids::DeviceId;
use metrics::{counter, histogram};
use poem::endpoint::make;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, post};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::problem::{Problem, from_router_error};
use super::server::{Peer, serve};
use super::telemetry::{self, seconds_until};
use crate::config::{EdgePki, HttpLimits};
use crate::edge::handshake::perform_handshake;
use crate::edge::rate_limit::{Rate, Throttle};
use crate::edge::{ClientCertificates, HandshakeContext, Tls, TlsError};
use crate::metric_names as names;
use crate::shared::Shared;

/// How often unused rate limit states are dropped.
const THROTTLE_CLEANUP_INTERVAL: Duration = Duration::from_secs(60);

/// The HTTP door.
pub struct HttpDoor {
    /// State shared with the other doors.
    pub shared: Arc<Shared>,
    /// Longest time a request waits for the log.
    pub answer_within: Duration,
    /// Largest body of a batch in bytes.
    pub max_batch_bytes: usize,
    /// Most items of a batch.
    pub max_batch_items: usize,
    tls: Tls,
    handshakes: Semaphore,
    rate: Rate,
    throttles: DashMap<DeviceId, Throttle>,
}

impl HttpDoor {
    /// Sets up the door.
    pub fn new(shared: Arc<Shared>, pki: &EdgePki, limits: &HttpLimits) -> Result<Arc<Self>, TlsError> {
        let burst = shared.limits.message_burst.max(1);
        Ok(Arc::new(Self {
            tls: Tls::new(pki, shared.directory.clone(), ClientCertificates::Optional)?,
            handshakes: Semaphore::new(shared.limits.max_handshakes),
            rate: Rate::new(shared.limits.messages_per_second, burst),
            throttles: DashMap::new(),
            answer_within: limits.answer_within,
            max_batch_bytes: limits.max_batch_bytes,
            // A batch above the burst could never pass the rate limit.
            max_batch_items: limits.max_batch_items.clamp(1, burst as usize),
            shared,
        }))
    }

    /// Serves devices until the shutdown, then waits for requests in flight.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: CancellationToken) {
        info!(address = ?listener.local_addr().ok(), "listening for devices over HTTP");
        let handshake_door = self.clone();
        let handshake = move |socket, peer| {
            let door = handshake_door.clone();
            async move { perform_handshake(door.handshake_context(), socket, peer).await }
        };
        let serving = serve(listener, handshake, self.clone().endpoint(), &self.shared.limits, shutdown);
        tokio::select! {
            () = serving => {}
            never = self.forget_idle_throttles() => match never {},
        }
    }

    /// Counts messages of a device; if it is over its rate, refuses all of them and counts none.
    pub fn count(&self, device: DeviceId, messages: u32) -> Result<(), Problem> {
        let now = Instant::now();
        let mut throttle = self.throttles.entry(device).or_insert_with(|| Throttle::new(now));
        // Count on a copy: a refused batch must not use up the rate.
        let mut counted = *throttle;
        for _ in 0..messages {
            if let Some(resume_at) = counted.count(self.rate, now) {
                self.shared.meters.rate_pauses.increment(1);
                return Err(Problem::too_many_requests(seconds_until(resume_at, now)).with_reason("too_many_messages"));
            }
        }
        *throttle = counted;
        Ok(())
    }

    fn endpoint(self: Arc<Self>) -> impl Endpoint<Output = Response> + 'static {
        let (one, many) = (self.clone(), self);
        let single = make(move |request: Request| {
            let door = one.clone();
            async move {
                let (began, peer) = (Instant::now(), peer(&request));
                let answered = match peer {
                    Ok(peer) => telemetry::single(&door, &peer, request).await,
                    Err(problem) => Err(problem),
                };
                response(began, answered)
            }
        });
        let batch = make(move |request: Request| {
            let door = many.clone();
            async move {
                let (began, peer) = (Instant::now(), peer(&request));
                let answered = match peer {
                    Ok(peer) => telemetry::batch(&door, &peer, request).await,
                    Err(problem) => Err(problem),
                };
                response(began, answered)
            }
        });
        let routes = Route::new().at("/api/v1/telemetry", post(single)).at("/api/v1/telemetry/batch", post(batch));
        routes.catch_all_error(from_router_error).map_to_response()
    }

    fn handshake_context(&self) -> HandshakeContext<'_> {
        let Self { tls, handshakes, shared, .. } = self;
        HandshakeContext { tls, handshakes, presence: &shared.presence, within: shared.limits.connect_timeout }
    }

    async fn forget_idle_throttles(&self) -> std::convert::Infallible {
        let mut every = interval(THROTTLE_CLEANUP_INTERVAL);
        loop {
            every.tick().await;
            let now = Instant::now();
            self.throttles.retain(|_, throttle| !throttle.is_full(now));
        }
    }
}

/// Converts a result into a response and records it in the metrics.
fn response(began: Instant, answered: Result<Response, Problem>) -> Response {
    let response = answered.unwrap_or_else(IntoResponse::into_response);
    counter!(names::HTTP_ANSWERS, "status" => response.status().as_str().to_owned()).increment(1);
    histogram!(names::HTTP_SECONDS).record(began.elapsed().as_secs_f64());
    response
}

fn peer(request: &Request) -> Result<Arc<Peer>, Problem> {
    request
        .extensions()
        .get::<Arc<Peer>>()
        .cloned()
        .ok_or_else(|| Problem::unavailable("the connection's peer is unknown"))
}
