//! Authenticates the sender of a request by the client certificate of its connection or by a device token. The
//! decisions are in `crate::decide`.

use certs::token::digest_of;
use domain::ids::{DeviceId, OrganizationId};
use metrics::counter;
use poem::Request;
use poem::http::header::AUTHORIZATION;

use super::problem::Problem;
use super::server::Peer;
use crate::decide::{Decision, Reason, authorize_connect, authorize_session, authorize_token};
use crate::metric_names as names;
use crate::presence::PresenceSubject;
use crate::shared::Shared;

/// An authenticated device in good standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
}

/// Returns the sender of a request. A certificate takes precedence over a token; a refusal is counted and reported.
pub async fn authenticate(shared: &Shared, peer: &Peer, request: &Request) -> Result<Sender, Problem> {
    if !shared.is_fresh() {
        return Err(Problem::unavailable("the directory of devices is out of date; retry"));
    }
    let token = bearer(request);
    if peer.chain.is_empty() && token.is_none() {
        return Err(Problem::unauthenticated(
            "present a client certificate, or a device token as `Authorization: Bearer …`",
        ));
    }
    let digest = token.and_then(digest_of);
    let authorize =
        || if peer.chain.is_empty() { by_token(shared, digest.as_deref()) } else { by_certificate(shared, peer) };
    let mut authorized = authorize();
    // A malformed token cannot become valid by a later event, so there is no need to catch up with the log.
    if (digest.is_some() || !peer.chain.is_empty()) && authorized.is_err_and(Reason::may_be_stale) {
        if !shared.catch_up().await {
            return Err(Problem::unavailable("the log is unreachable; retry"));
        }
        authorized = authorize();
    }
    match authorized {
        Ok(sender) => Ok(sender),
        Err(reason) => Err(refused(shared, peer, digest.as_deref(), reason).await),
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn by_token(shared: &Shared, digest: Option<&str>) -> Result<Sender, Reason> {
    let token = digest.and_then(|digest| shared.directory.token(digest));
    let device = token.and_then(|token| shared.directory.device(token.device));
    let organization = device.and_then(|device| shared.directory.organization(device.organization));
    let organization = authorize_token(token, device, organization.as_ref(), (shared.clock)())?;
    token.map(|token| Sender { organization, device: token.device }).ok_or(Reason::UnknownToken)
}

/// Verifies the whole chain once per connection, afterwards only what can change during it.
fn by_certificate(shared: &Shared, peer: &Peer) -> Result<Sender, Reason> {
    let now = (shared.clock)();
    if let Some(identity) = peer.verified_identity.get() {
        authorize_session(identity, &shared.directory.view(identity), now)?;
        let (organization, device) = (OrganizationId(identity.organization), DeviceId(identity.device));
        return Ok(Sender { organization, device });
    }
    let identity = certs::identity(&peer.chain).map_err(|_| Reason::UnreadableCertificate)?;
    let view = shared.directory.view(&identity);
    match authorize_connect(&peer.chain, &identity.device.to_string(), &view, now) {
        Decision::Allow(allowed) => {
            let _ = peer.verified_identity.set(identity);
            Ok(Sender { organization: allowed.organization, device: allowed.device })
        }
        Decision::Deny(reason) => Err(reason),
    }
}

async fn refused(shared: &Shared, peer: &Peer, digest: Option<&str>, reason: Reason) -> Problem {
    counter!(names::CONNECTS_REFUSED, "reason" => reason.code()).increment(1);
    let subject = match certs::identity(&peer.chain) {
        Ok(identity) => PresenceSubject {
            organization: Some(OrganizationId(identity.organization)),
            device: Some(DeviceId(identity.device)),
            session: None,
        },
        Err(_) => {
            let device = digest.and_then(|digest| shared.directory.token(digest)).map(|token| token.device);
            let known = device.and_then(|device| shared.directory.device(device));
            PresenceSubject { organization: known.map(|known| known.organization), device, session: None }
        }
    };
    if shared.presence.report_refused(subject, reason.code()).await {
        let device = subject.device.map(|device| device.to_string());
        tracing::info!(peer = %peer.address, reason = reason.code(), device, "refused an HTTP request");
    }
    let problem = match reason {
        Reason::Decommissioned => Problem::forbidden("the device is out of service"),
        Reason::OrganizationSuspended => Problem::forbidden("the organisation is suspended"),
        Reason::Revoked => Problem::unauthenticated("the certificate or token was revoked"),
        Reason::Expired => Problem::unauthenticated("the certificate or token has expired"),
        Reason::UnknownToken => Problem::unauthenticated("unknown device token"),
        _ => Problem::unauthenticated("the certificate is not accepted"),
    };
    problem.with_reason(reason.code())
}
