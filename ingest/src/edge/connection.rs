//! One connection from the first byte to the last: handshake, admission, session and clean-up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::telemetry::{IngestionSource, RawReading};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{debug, info};

use super::connect::{Admitted, admit};
use super::handshake::{Stream, perform_handshake};
use super::packet::{Version, Will};
use super::session::Session;
use super::session_end::SessionEnd;
use super::{Edge, reply};
use crate::decide::Allowed;
use crate::pipeline::RefusedMessage;
use crate::pipeline::topic::authorize_publish;
use crate::presence::PresenceSubject;

/// How long the edge reads on after it has announced the end of a session.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes that are read and discarded after the end of a session.
const MAX_DISCARDED_BYTES: usize = 1 << 20;

/// Serves one connection.
pub async fn serve(edge: &Arc<Edge>, socket: TcpStream, peer: SocketAddr) {
    // Boxed, so that the task of an idle session does not keep the memory of handshake and admission.
    let Some(Some(stream)) =
        edge.shutdown.run_until_cancelled(Box::pin(perform_handshake(edge.handshake_context(), socket, peer))).await
    else {
        return;
    };
    let Some(admitted) = Box::pin(admit(edge, stream, peer)).await else { return };
    let Admitted { stream, buffer, out, connect, allowed, handle } = admitted;
    debug!(%peer, device = %allowed.device, session = %handle.session, "a device connected");
    let mut session = Session::new(edge.clone(), stream, buffer, out, &connect, allowed, handle);
    let end = session.run().await;
    Box::pin(finish(edge, session, connect.will, end, peer)).await;
}

/// Ends a session: publishes the will, removes the session from the registry, reports its end and closes the
/// connection.
async fn finish(edge: &Edge, mut session: Session, will: Option<Will>, end: SessionEnd, peer: SocketAddr) {
    // Devices resend what is not acknowledged, so acknowledge as much as possible before closing.
    if end == SessionEnd::Shutdown {
        session.drain(edge.limits.drain_timeout).await;
    }
    edge.sessions.remove(&session.handle);
    edge.sessions.keep_throttle(session.allowed.device, session.throttle, std::time::Instant::now());
    if let Some(will) = will.filter(|_| end.publishes_will()) {
        publish_will(edge, &session.allowed, will).await;
    }
    edge.presence
        .report(
            end.kind(),
            PresenceSubject::of_session(&session.handle.identity, Some(session.handle.session)),
            Some(end.code()),
        )
        .await;
    edge.meters.sessions.decrement(1);
    edge.meters.ended(end.code());
    let (device, detail) =
        (session.allowed.device, if let SessionEnd::Protocol(_, detail) = end { detail } else { "" });
    match end {
        SessionEnd::Protocol(..) | SessionEnd::Denied(_) | SessionEnd::NotReading | SessionEnd::LogUnavailable => {
            info!(%peer, %device, session = %session.handle.session, reason = end.code(), detail, "ended a session");
        }
        _ => debug!(%peer, %device, session = %session.handle.session, reason = end.code(), "a session ended"),
    }
    // A broken connection cannot be closed gracefully.
    if !matches!(end, SessionEnd::ConnectionLost | SessionEnd::NotReading) {
        close_gracefully(session.stream, session.out, session.version, end).await;
    }
}

/// Publishes a will as if the device had sent it now.
async fn publish_will(edge: &Edge, allowed: &Allowed, will: Will) {
    let received_at = (edge.clock)();
    let checked = authorize_publish(allowed.organization, allowed.device, &allowed.topics, &will.topic)
        .and_then(|()| edge.pipeline.check(allowed.organization, allowed.device, &will.payload));
    // The pipeline closes only after the drain time; a later will is dropped.
    let _ = match checked {
        Ok(readings) => {
            let reading = RawReading {
                organization: allowed.organization,
                device: allowed.device,
                received_at,
                source: IngestionSource::Mqtt,
                payload: will.payload,
            };
            edge.pipeline.accept(reading, readings, None).await
        }
        Err(why) => {
            let refused = RefusedMessage {
                organization: Some(allowed.organization),
                device: Some(allowed.device),
                topic: &will.topic,
                payload: &will.payload,
                received_at,
            };
            edge.pipeline.refuse(&refused, &why, None).await
        }
    };
}

/// Sends the remaining bytes and the DISCONNECT, then reads on for a moment: closing a socket with unread bytes resets
/// it, and the device might never see the reason.
async fn close_gracefully(mut stream: Stream, mut out: bytes::BytesMut, version: Version, end: SessionEnd) {
    if let Some(code) = end.disconnect_code() {
        reply::disconnect(&mut out, version, code);
    }
    let _ = timeout(CLOSE_TIMEOUT, async {
        stream.write_all(&out).await?;
        stream.shutdown().await?;
        let (mut discarded, mut scratch) = (0, [0; 4_096]);
        while discarded < MAX_DISCARDED_BYTES {
            match stream.read(&mut scratch).await? {
                0 => break,
                read => discarded += read,
            }
        }
        Ok::<_, std::io::Error>(())
    })
    .await;
}
