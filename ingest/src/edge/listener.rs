//! Accepts connections at the edge and waits for them on shutdown.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::{info, warn};

use super::session_end::SessionEnd;
use super::{Edge, connection};
use crate::tcp_accept::accept_connections;

/// How much longer than the sessions' own drain time the listener waits for them.
const DRAIN_MARGIN: Duration = Duration::from_secs(3);

/// Accepts devices until the shutdown, then ends all sessions and waits for them.
pub async fn listen(edge: Arc<Edge>, listener: TcpListener) {
    let connections = accept_connections(&listener, edge.limits.max_connections, &edge.shutdown, |socket, peer| {
        let edge = edge.clone();
        async move {
            edge.meters.connections.increment(1);
            connection::serve(&edge, socket, peer).await;
            edge.meters.connections.decrement(1);
        }
    })
    .await;
    drop(listener);
    edge.sessions.end_all(SessionEnd::Shutdown);
    if timeout(edge.limits.drain_timeout + DRAIN_MARGIN, connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "closed connections that did not finish draining");
    }
    info!("the edge is closed");
}
