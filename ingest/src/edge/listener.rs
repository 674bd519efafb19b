//! Accepting connections, no more than allowed, until the door closes. Not what happens on them.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::end::End;
use super::{Edge, serve};
use crate::metric_names as names;

/// How long accepting rests after it failed, for instance for want of file descriptors.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(100);
/// How much longer than the sessions' own draining the listener waits for them.
const DRAIN_MARGIN: Duration = Duration::from_secs(3);

/// Accepts devices until the edge's shutdown, ends all sessions and returns when they are over.
pub async fn listen(edge: Arc<Edge>, listener: TcpListener) {
    let (connections, open) = (TaskTracker::new(), Arc::new(Semaphore::new(edge.limits.max_connections)));
    let mut over_limit = 0u64;
    while let Some(accepted) = edge.shutdown.run_until_cancelled(listener.accept()).await {
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(REST_AFTER_FAILURE).await;
                continue;
            }
        };
        let Ok(permit) = open.clone().try_acquire_owned() else {
            counter!(names::CONNECTS_REFUSED, "reason" => "too_many_connections").increment(1);
            over_limit += 1;
            if over_limit.is_power_of_two() {
                warn!(limit = edge.limits.max_connections, over_limit, "connections over the limit were closed");
            }
            continue;
        };
        // Acknowledgements are small and must not wait for company in the kernel.
        let _ = socket.set_nodelay(true);
        let edge = edge.clone();
        connections.spawn(async move {
            edge.meters.connections.increment(1);
            serve::serve(&edge, socket, peer).await;
            edge.meters.connections.decrement(1);
            drop(permit);
        });
    }
    drop(listener);
    edge.sessions.end_all(End::Shutdown);
    connections.close();
    if timeout(edge.limits.drain_timeout + DRAIN_MARGIN, connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "connections were cut off");
    }
    info!("the edge is closed");
}
