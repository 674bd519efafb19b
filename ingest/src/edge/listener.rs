//! The edge's connections from the first to the last. Not what happens on them.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::{info, warn};

use super::session_end::SessionEnd;
use super::{Edge, connection};
use crate::tcp_accept::accept_connections;

/// How much longer than the sessions' own draining the listener waits for them.
const DRAIN_MARGIN: Duration = Duration::from_secs(3);

/// Accepts devices until the edge's shutdown, ends all sessions and returns when they are over.
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
        warn!(connections = connections.len(), "connections were cut off");
    }
    info!("the edge is closed");
}
