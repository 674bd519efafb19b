//! The HTTP authentication hook for EMQX: `POST /internal/mqtt/auth` on its own TLS listener with a shared secret. It
//! answers with the same decision as the edge.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use certs::Identity;
use domain::ids::{DeviceId, OrganizationId};
use metrics::counter;
use poem::endpoint::make;
use poem::http::header::AUTHORIZATION;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, post};
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::hook_messages::{AuthResult, HookRequest, HookResponse, certificate};
use crate::config::{EdgePki, Secret};
use crate::decide::{Allowed, Decision, Reason, authorize_connect};
use crate::edge::TlsError;
use crate::edge::handshake::server_auth_acceptor;
use crate::http::problem::{Problem, from_router_error};
use crate::http::server::serve;
use crate::metric_names as names;
use crate::presence::PresenceSubject;
use crate::shared::Shared;

/// Largest request in bytes: a certificate and some names.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The hook.
pub struct AuthHook {
    shared: Arc<Shared>,
    acceptor: TlsAcceptor,
    /// SHA-256 of the expected `Authorization` header. Digests have a fixed length, so that the comparison takes
    /// constant time.
    expected: Digest,
}

impl AuthHook {
    /// Sets up the hook.
    pub fn new(shared: Arc<Shared>, pki: &EdgePki, secret: &Secret) -> Result<Arc<Self>, TlsError> {
        let expected = digest(&SHA256, format!("Bearer {}", secret.expose()).as_bytes());
        Ok(Arc::new(Self { shared, acceptor: server_auth_acceptor(pki)?, expected }))
    }

    /// Answers the broker until the shutdown.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: CancellationToken) {
        info!(address = ?listener.local_addr().ok(), "listening for the broker's authentication requests");
        let (acceptor, within) = (self.acceptor.clone(), self.shared.limits.connect_timeout);
        let handshake = move |socket: TcpStream, _: SocketAddr| {
            let acceptor = acceptor.clone();
            async move { timeout(within, acceptor.accept(socket)).await.ok()?.ok().map(Box::new) }
        };
        let shared = self.shared.clone();
        serve(listener, handshake, self.endpoint(), &shared.limits, shutdown).await;
    }

    fn endpoint(self: Arc<Self>) -> impl Endpoint<Output = Response> + 'static {
        let authenticate = make(move |request: Request| {
            let hook = self.clone();
            async move { hook.answer(request).await.unwrap_or_else(IntoResponse::into_response) }
        });
        Route::new().at("/internal/mqtt/auth", post(authenticate)).catch_all_error(from_router_error).map_to_response()
    }

    async fn answer(&self, mut request: Request) -> Result<Response, Problem> {
        let presented = request.headers().get(AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
        let presented = digest(&SHA256, presented);
        if verify_slices_are_equal(presented.as_ref(), self.expected.as_ref()).is_err() {
            counter!(names::HOOK_ANSWERS, "result" => "wrong_secret").increment(1);
            return Err(Problem::unauthenticated("the hook's secret is missing or invalid"));
        }
        let body = request.take_body().into_bytes_limit(MAX_REQUEST_BYTES).await;
        let body = body.map_err(|error| Problem::malformed(error.to_string()))?;
        let hook_request: HookRequest =
            serde_json::from_slice(&body).map_err(|error| Problem::malformed(error.to_string()))?;
        let answer = self.decide(&hook_request).await?;
        counter!(names::HOOK_ANSWERS, "result" => label(answer.result)).increment(1);
        // Strings and numbers always serialise.
        let body = serde_json::to_vec(&answer).unwrap_or_default();
        Ok(Response::builder().content_type("application/json").body(body))
    }

    /// Decides on a client. A client without a certificate is left to the broker's own database, which holds the
    /// bridge's account. A stale directory is answered with 503, which EMQX treats as `ignore` and so refuses the
    /// device.
    async fn decide(&self, hook_request: &HookRequest) -> Result<HookResponse, Problem> {
        if hook_request.cert_pem.is_empty() {
            return Ok(HookResponse::result_only(AuthResult::Ignore));
        }
        if !self.shared.is_fresh() {
            return Err(Problem::unavailable("the directory of devices is out of date"));
        }
        let leaf = certificate(&hook_request.cert_pem);
        let read =
            leaf.and_then(|leaf| certs::identity(std::slice::from_ref(&leaf)).ok().map(|identity| (leaf, identity)));
        let Some((leaf, identity)) = read else {
            return Ok(self.deny(hook_request, None, Reason::UnreadableCertificate).await);
        };
        let mut decided = self.authorize(&leaf, &identity, &hook_request.clientid);
        if decided.as_ref().is_err_and(|reason| reason.may_be_stale()) {
            if !self.shared.catch_up().await {
                return Err(Problem::unavailable("the log is unreachable"));
            }
            decided = self.authorize(&leaf, &identity, &hook_request.clientid);
        }
        match decided {
            Ok(allowed) => Ok(HookResponse::allow(&allowed)),
            Err(reason) => Ok(self.deny(hook_request, Some(&identity), reason).await),
        }
    }

    fn authorize(&self, leaf: &CertificateDer<'_>, identity: &Identity, client_id: &str) -> Result<Allowed, Reason> {
        let view = self.shared.directory.view(identity);
        match authorize_connect(std::slice::from_ref(leaf), client_id, &view, (self.shared.clock)()) {
            Decision::Allow(allowed) => Ok(allowed),
            Decision::Deny(reason) => Err(reason),
        }
    }

    async fn deny(&self, hook_request: &HookRequest, identity: Option<&Identity>, reason: Reason) -> HookResponse {
        let subject = PresenceSubject {
            organization: identity.map(|identity| OrganizationId(identity.organization)),
            device: identity.map(|identity| DeviceId(identity.device)),
            session: None,
        };
        if self.shared.presence.report_refused(subject, reason.code()).await {
            let device = subject.device.map(|device| device.to_string());
            info!(peer = hook_request.peerhost, reason = reason.code(), device, "refused a client of the broker");
        }
        HookResponse::result_only(AuthResult::Deny)
    }
}

fn label(verdict: AuthResult) -> &'static str {
    match verdict {
        AuthResult::Allow => "allow",
        AuthResult::Deny => "deny",
        AuthResult::Ignore => "ignore",
    }
}
