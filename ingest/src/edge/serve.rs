//! One connection from its first octet to its last: handshake, admission, session, and what its end leaves to do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::telemetry::{IngestionSource, RawReading};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{debug, info};

use super::admit::{Admitted, admit, whom};
use super::end::End;
use super::handshake::{Stream, shake};
use super::packet::{Version, Will};
use super::session::Session;
use super::{Edge, reply};
use crate::decide::Allowed;
use crate::pipeline::Refused;
use crate::pipeline::topic::authorize_publish;

/// How long a device may go on sending after it was told that the session is over, and how much.
const FAREWELL: Duration = Duration::from_secs(2);
/// Octets of a device that are read and thrown away after the end of its session.
const FAREWELL_BYTES: usize = 1 << 20;

/// Serves one connection.
pub async fn serve(edge: &Arc<Edge>, socket: TcpStream, peer: SocketAddr) {
    // Boxed, so that the many idle sessions do not keep the room that getting here took.
    let Some(Some(stream)) = edge.shutdown.run_until_cancelled(Box::pin(shake(edge.shaking(), socket, peer))).await
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

/// Says farewell, publishes the will, takes the session out and tells so.
async fn finish(edge: &Edge, mut session: Session, will: Option<Will>, end: End, peer: SocketAddr) {
    if end == End::Shutdown {
        session.drain(edge.limits.drain_timeout).await;
    }
    edge.sessions.leave(&session.handle);
    edge.sessions.keep_throttle(session.allowed.device, session.throttle, std::time::Instant::now());
    if let Some(will) = will.filter(|_| end.publishes_will()) {
        publish_will(edge, &session.allowed, will).await;
    }
    edge.presence
        .tell(end.kind(), whom(&session.handle.identity, Some(session.handle.session)), Some(end.code()))
        .await;
    edge.meters.sessions.decrement(1);
    edge.meters.ended(end.code());
    let (device, detail) = (session.allowed.device, if let End::Protocol(_, detail) = end { detail } else { "" });
    match end {
        End::Protocol(..) | End::Denied(_) | End::LogUnavailable => {
            info!(%peer, %device, session = %session.handle.session, reason = end.code(), detail, "a session was ended");
        }
        _ => debug!(%peer, %device, session = %session.handle.session, reason = end.code(), "a session ended"),
    }
    if end != End::ConnectionLost {
        farewell(session.stream, session.out, session.version, end).await;
    }
}

/// Publishes a will as if the device had sent it now.
async fn publish_will(edge: &Edge, allowed: &Allowed, will: Will) {
    let received_at = (edge.clock)();
    let judged = authorize_publish(allowed.organization, allowed.device, &allowed.topics, &will.topic)
        .and_then(|()| edge.pipeline.judge(allowed.organization, allowed.device, &will.payload));
    // A closed pipeline takes no more: the edge is long past its drain time then.
    let _ = match judged {
        Ok(()) => {
            let reading = RawReading {
                organization: allowed.organization,
                device: allowed.device,
                received_at,
                source: IngestionSource::Mqtt,
                payload: will.payload,
            };
            edge.pipeline.accept(reading, None).await
        }
        Err(why) => {
            let refused = Refused {
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

/// Sends what is left and the reason, and reads on for a moment: closing a socket with unread octets would reset it
/// and could take the reason away from the device.
async fn farewell(mut stream: Stream, mut out: bytes::BytesMut, version: Version, end: End) {
    if let Some(code) = end.disconnect_code() {
        reply::disconnect(&mut out, version, code);
    }
    let _ = timeout(FAREWELL, async {
        stream.write_all(&out).await?;
        stream.shutdown().await?;
        let (mut thrown_away, mut scratch) = (0, [0; 4_096]);
        while thrown_away < FAREWELL_BYTES {
            match stream.read(&mut scratch).await? {
                0 => break,
                read => thrown_away += read,
            }
        }
        Ok::<_, std::io::Error>(())
    })
    .await;
}
