//! Admission of a connection after its handshake: reads CONNECT, takes the authorisation decision, registers the
//! session and answers with CONNACK.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use certs::Identity;
use domain::ids::SessionId;
use domain::telemetry::PresenceKind;
use metrics::counter;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tracing::{debug, info};
use uuid::{NoContext, Timestamp, Uuid};

use super::Edge;
use super::frame::{self, Next};
use super::handshake::Stream;
use super::packet::{self, Connect, NotConnect, Version};
use super::reply::{self, ConnectRefusal, ServerLimits};
use super::session_end::SessionEnd;
use super::session_registry::SessionHandle;
use crate::decide::{Allowed, Decision, Reason, authorize_connect, authorize_session};
use crate::metric_names as names;
use crate::presence::PresenceSubject;

/// Bytes reserved for each read while waiting for a CONNECT.
const READ_BYTES: usize = 1_024;

/// An admitted device; its CONNACK is written to `out` and not yet sent.
pub struct Admitted {
    /// Its connection.
    pub stream: Stream,
    /// What was read after its CONNECT.
    pub buffer: BytesMut,
    /// Bytes to send first.
    pub out: BytesMut,
    /// Its CONNECT.
    pub connect: Connect,
    /// What it may do, and until when.
    pub allowed: Allowed,
    /// Its session as seen by other tasks.
    pub handle: Arc<SessionHandle>,
}

/// Why a CONNECT is refused.
enum Denied {
    Reason(Reason),
    DirectoryStale,
    Packet(ConnectRefusal, &'static str),
}

/// Admits a device. Returns `None` if it is refused; the refusal is then answered, counted, logged and reported.
pub async fn admit(edge: &Edge, mut stream: Stream, peer: SocketAddr) -> Option<Admitted> {
    let (mut buffer, mut out) = (BytesMut::new(), BytesMut::new());
    let chain: Vec<CertificateDer<'static>> = stream.get_ref().1.peer_certificates()?.to_vec();
    let identity = certs::identity(&chain).ok()?;
    let reading = timeout(edge.limits.connect_timeout, read_connect(edge, &mut stream, &mut buffer));
    let connect = match edge.shutdown.run_until_cancelled(reading).await? {
        Ok(Ok(connect)) => connect,
        Ok(Err(NotConnect::Level(level))) => {
            // Answer in the format of the closest supported version.
            let version = if level > 5 { Version::V5 } else { Version::V3 };
            refuse(
                edge,
                stream,
                &mut out,
                version,
                &Denied::Packet(ConnectRefusal::Version, "protocol_version"),
                &identity,
                peer,
            )
            .await;
            return None;
        }
        // Typically a health check of a load balancer.
        Ok(Err(NotConnect::Closed)) => return close("closed", peer),
        Ok(Err(_)) => return close_and_report(edge, "not_connect", &identity, peer).await,
        Err(_) => return close_and_report(edge, "connect_timeout", &identity, peer).await,
    };
    match enter_session(edge, &chain, &identity, &connect).await {
        Ok((allowed, handle)) => {
            let server_limits = ServerLimits {
                receive_maximum: edge.limits.receive_maximum,
                max_packet_bytes: u32::try_from(edge.limits.max_packet_bytes).unwrap_or(u32::MAX),
            };
            reply::connack_accept(&mut out, &connect, server_limits);
            Some(Admitted { stream, buffer, out, connect, allowed, handle })
        }
        Err(denied) => {
            refuse(edge, stream, &mut out, connect.version, &denied, &identity, peer).await;
            None
        }
    }
}

async fn read_connect(edge: &Edge, stream: &mut Stream, buffer: &mut BytesMut) -> Result<Connect, NotConnect> {
    loop {
        match frame::next(buffer, edge.limits.max_packet_bytes) {
            Next::Frame(frame) => return packet::read_connect(&frame),
            Next::Incomplete { missing } => buffer.reserve(missing.max(READ_BYTES)),
            Next::Oversize { .. } | Next::Malformed => return Err(NotConnect::Malformed),
        }
        match stream.read_buf(buffer).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(NotConnect::Closed),
        }
    }
}

/// Decides, registers the session, and decides again: an event between decision and registration found no session to
/// end.
async fn enter_session(
    edge: &Edge,
    chain: &[CertificateDer<'_>],
    identity: &Identity,
    connect: &Connect,
) -> Result<(Allowed, Arc<SessionHandle>), Denied> {
    check_requested_features(connect)?;
    let allowed = decide(edge, chain, identity, &connect.client_id).await?;
    let handle = SessionHandle::new(new_session(edge), identity.clone());
    edge.sessions.insert(&handle);
    let again = authorize_session(identity, &edge.directory.view(identity), (edge.clock)());
    if let Err(reason) = again {
        edge.sessions.remove(&handle);
        return Err(Denied::Reason(reason));
    }
    // The shutdown ends all registered sessions; this one may have been registered after that.
    if edge.shutdown.is_cancelled() {
        handle.end(SessionEnd::Shutdown);
    }
    edge.meters.sessions.increment(1);
    edge.presence
        .report(PresenceKind::Connected, PresenceSubject::of_session(identity, Some(handle.session)), None)
        .await;
    Ok((allowed, handle))
}

/// Refuses optional MQTT 5 features that the client requests and the edge does not offer (3.1.2.6, 3.1.2.7, 4.12).
fn check_requested_features(connect: &Connect) -> Result<(), Denied> {
    if connect.wants_authentication {
        return Err(Denied::Packet(ConnectRefusal::AuthenticationMethod, "authentication_method"));
    }
    match &connect.will {
        Some(will) if connect.version == Version::V5 && will.retain => {
            Err(Denied::Packet(ConnectRefusal::WillRetain, "will_retain"))
        }
        _ => Ok(()),
    }
}

async fn decide(
    edge: &Edge,
    chain: &[CertificateDer<'_>],
    identity: &Identity,
    client_id: &str,
) -> Result<Allowed, Denied> {
    if edge.feed.lag().is_none_or(|lag| lag > edge.limits.max_directory_lag) {
        return Err(Denied::DirectoryStale);
    }
    let decision = || authorize_connect(chain, client_id, &edge.directory.view(identity), (edge.clock)());
    match decision() {
        Decision::Allow(allowed) => Ok(allowed),
        Decision::Deny(reason) if !reason.may_be_stale() => Err(Denied::Reason(reason)),
        // The denial may only reflect a stale directory: catch up and decide again.
        Decision::Deny(_) => {
            if !edge.feed.catch_up(edge.limits.catch_up_timeout).await {
                return Err(Denied::DirectoryStale);
            }
            match decision() {
                Decision::Allow(allowed) => Ok(allowed),
                Decision::Deny(reason) => Err(Denied::Reason(reason)),
            }
        }
    }
}

async fn refuse(
    edge: &Edge,
    mut stream: Stream,
    out: &mut BytesMut,
    version: Version,
    denied: &Denied,
    identity: &Identity,
    peer: SocketAddr,
) {
    let (why, code) = match denied {
        Denied::Reason(Reason::WrongClientId) => (ConnectRefusal::ClientId, Reason::WrongClientId.code()),
        Denied::Reason(reason) => (ConnectRefusal::NotAuthorized, reason.code()),
        Denied::DirectoryStale => (ConnectRefusal::Unavailable, "directory_behind"),
        Denied::Packet(why, code) => (*why, *code),
    };
    reply::connack_refuse(out, version, why);
    let _ = timeout(edge.limits.connect_timeout, async {
        stream.write_all(out).await?;
        stream.shutdown().await
    })
    .await;
    report(edge, code, identity, peer).await;
}

/// Counts, logs and reports that a device was refused.
async fn report(edge: &Edge, reason: &'static str, identity: &Identity, peer: SocketAddr) {
    counter!(names::CONNECTS_REFUSED, "reason" => reason).increment(1);
    if edge.presence.report_refused(PresenceSubject::of_session(identity, None), reason).await {
        info!(%peer, reason, device = %identity.device, "refused a CONNECT");
    }
}

/// Closes the connection of a device that does not send a CONNECT.
async fn close_and_report(
    edge: &Edge,
    reason: &'static str,
    identity: &Identity,
    peer: SocketAddr,
) -> Option<Admitted> {
    report(edge, reason, identity, peer).await;
    None
}

fn close(reason: &'static str, peer: SocketAddr) -> Option<Admitted> {
    counter!(names::CONNECTS_REFUSED, "reason" => reason).increment(1);
    debug!(%peer, reason, "closed a connection before its CONNECT");
    None
}

/// Creates a session id (UUID v7): later sessions of a device have greater ids.
fn new_session(edge: &Edge) -> SessionId {
    let now = (edge.clock)();
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    SessionId(Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos())))
}
