//! Accepting connections at any door, no more than allowed, until it closes. Not what happens on them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::metric_names as names;

/// How long accepting rests after it failed, for instance for want of file descriptors.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Accepts connections until the shutdown, each served by a task of its own; further ones than `most` at a time are
/// closed at once. Returns the tasks that still run.
pub async fn accept_connections<F: Future<Output = ()> + Send + 'static>(
    listener: &TcpListener,
    max_connections: usize,
    shutdown: &CancellationToken,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) -> TaskTracker {
    let (connections, open) = (TaskTracker::new(), Arc::new(Semaphore::new(max_connections)));
    let mut over_limit = 0u64;
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(RETRY_DELAY).await;
                continue;
            }
        };
        let Ok(permit) = open.clone().try_acquire_owned() else {
            counter!(names::CONNECTS_REFUSED, "reason" => "too_many_connections").increment(1);
            over_limit += 1;
            if over_limit.is_power_of_two() {
                warn!(limit = max_connections, over_limit, "connections over the limit were closed");
            }
            continue;
        };
        // Answers are small and must not wait for company in the kernel.
        let _ = socket.set_nodelay(true);
        let serving = serve(socket, peer);
        connections.spawn(async move {
            serving.await;
            drop(permit);
        });
    }
    connections.close();
    connections
}
