//! Accepts TCP connections for any door, up to a limit, until the shutdown.

use eventlog::error_chain;
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

/// Delay after a failed accept, for example when file descriptors run out.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Accepts connections until the shutdown and serves each in its own task; above `max_connections`, new ones are closed
/// at once. Returns the tasks still running.
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
                warn!(error = error_chain(&error), "failed to accept a connection");
                sleep(RETRY_DELAY).await;
                continue;
            }
        };
        let Ok(permit) = open.clone().try_acquire_owned() else {
            counter!(names::CONNECTS_REFUSED, "reason" => "too_many_connections").increment(1);
            over_limit += 1;
            // Log at powers of two, so that a flood of connections does not flood the log.
            if over_limit.is_power_of_two() {
                warn!(limit = max_connections, over_limit, "closed connections above the limit");
            }
            continue;
        };
        // Answers are small; without Nagle's algorithm they are sent at once.
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
