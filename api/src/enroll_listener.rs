//! The enrolment listener: HTTPS with client certificates on a port of its own, open only to the paths by which devices
//! enrol and renew. `commands` decides whether a presented certificate is valid.

use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, EndpointExt, Request, Response, Route};
use serving::tls::{self, Timeouts};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info};

use crate::config::EnrollConfig;
use crate::error::Error;
use crate::outer_middleware::OuterMiddleware;
use crate::problem::Problem;
use crate::routes;
use crate::routes::enrollment::peer::Peer;
use crate::state::State;

/// Most connections at a time; further ones wait. Enrolment is rare and short.
const MAX_CONNECTIONS: usize = 256;
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the head of a request, and a request in flight at shutdown, may take.
const TIMEOUTS: Timeouts = Timeouts { head: Duration::from_secs(30), drain: Duration::from_secs(5) };
/// Pause after a failed accept, which usually means that the process is out of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves enrolment until `shutdown`; without a configuration it only waits for that.
pub async fn serve(config: Option<EnrollConfig>, state: State, shutdown: CancellationToken) -> Result<(), Error> {
    let Some(EnrollConfig { listen, tls }) = config else {
        shutdown.cancelled().await;
        return Ok(());
    };
    let listener = TcpListener::from_std(serving::bind(listen)?).map_err(serving::Error::Listener)?;
    info!(address = ?listener.local_addr().ok(), "listening for enrolment");
    let (acceptor, endpoint) = (TlsAcceptor::from(tls), Arc::new(endpoint(state)));
    let (open, connections) = (Arc::new(Semaphore::new(MAX_CONNECTIONS)), TaskTracker::new());
    loop {
        // The semaphore is never closed, so acquiring fails only by cancellation.
        let Some(Ok(permit)) = shutdown.run_until_cancelled(open.clone().acquire_owned()).await else { break };
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else { break };
        let Ok((socket, address)) = accepted else {
            // Without the pause this loop would spin until other connections release their descriptors.
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        let (acceptor, endpoint, shutdown) = (acceptor.clone(), endpoint.clone(), shutdown.clone());
        connections.spawn(async move {
            if let Some(stream) = handshake(acceptor, socket).await {
                let peer = Arc::new(Peer { chain: tls::peer_certificates(&stream) });
                tls::serve_connection(stream, address, peer, endpoint, TIMEOUTS, &shutdown).await;
            }
            drop(permit);
        });
    }
    connections.close();
    // A second more than each connection's own drain, which ends them in order.
    let _ = timeout(TIMEOUTS.drain + Duration::from_secs(1), connections.wait()).await;
    Ok(())
}

/// Shakes hands; `None` if that fails or takes too long.
async fn handshake(acceptor: TlsAcceptor, socket: TcpStream) -> Option<tls::Stream> {
    let address = socket.peer_addr().ok();
    let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await else {
        debug!(?address, "TLS handshake failed");
        return None;
    };
    Some(Box::new(stream))
}

/// Returns the API's endpoints, restricted to those for devices.
fn endpoint(state: State) -> impl Endpoint<Output = Response> {
    let only = |request: Request| async move {
        let path = request.uri().path();
        let for_devices = path == "/api/v1/enroll" || path.starts_with("/api/v1/enroll/");
        if for_devices { Ok(request) } else { Err(Problem::not_found("path on this port").into()) }
    };
    Route::new()
        .nest("/api", routes::endpoint(state.breaker.clone()))
        .before(only)
        .data(state)
        .with(OuterMiddleware::new(routes::allowed_methods))
}
