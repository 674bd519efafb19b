//! Who sends a request: by the certificate of its connection, or by the device token in it. The decisions themselves are
//! pure and elsewhere.

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

/// A device in good standing that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
}

/// Answers who sends a request. A refusal is counted and told; a certificate counts before a token.
pub async fn authenticate(shared: &Shared, peer: &Peer, request: &Request) -> Result<Sender, Problem> {
    if !shared.is_fresh() {
        return Err(Problem::unavailable("the door does not know the newest state of devices; try again"));
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
    // What has not even the shape of a token is no news.
    if (digest.is_some() || !peer.chain.is_empty()) && authorized.is_err_and(Reason::may_be_stale) {
        if !shared.catch_up().await {
            return Err(Problem::unavailable("the log does not answer; try again"));
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

/// Asks for the whole chain once in a connection, and then for all that can change while it lasts.
fn by_certificate(shared: &Shared, peer: &Peer) -> Result<Sender, Reason> {
    let now = (shared.clock)();
    if let Some(identity) = peer.proven.get() {
        authorize_session(identity, &shared.directory.view(identity), now)?;
        let (organization, device) = (OrganizationId(identity.organization), DeviceId(identity.device));
        return Ok(Sender { organization, device });
    }
    let identity = certs::identity(&peer.chain).map_err(|_| Reason::UnreadableCertificate)?;
    let view = shared.directory.view(&identity);
    match authorize_connect(&peer.chain, &identity.device.to_string(), &view, now) {
        Decision::Allow(allowed) => {
            let _ = peer.proven.set(identity);
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
        tracing::info!(peer = %peer.address, reason = reason.code(), device, "an HTTP request was refused");
    }
    let problem = match reason {
        Reason::Decommissioned => Problem::forbidden("the device is out of service"),
        Reason::OrganizationSuspended => Problem::forbidden("the organisation is suspended"),
        Reason::Revoked => Problem::unauthenticated("the certificate or token was revoked"),
        Reason::Expired => Problem::unauthenticated("the certificate or token has expired"),
        Reason::UnknownToken => Problem::unauthenticated("no such device token"),
        _ => Problem::unauthenticated("the certificate does not count here"),
    };
    problem.with_reason(reason.code())
}
