//! The door for enrolment: HTTPS that asks for client certificates, beside the API's own port, with the few paths that
//! devices need to get their next certificate. What does not live here: whether a presented certificate holds.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, EndpointExt, Request, Response, Route};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info};

use crate::error::Error;
use crate::outer_middleware::OuterMiddleware;
use crate::problem::Problem;
use crate::routes;
use crate::routes::enrollment::peer::Peer;
use crate::server::{Listen, listen};
use crate::state::State;

/// Most connections at a time, further ones wait: enrolling is rare and short.
const MOST_CONNECTIONS: usize = 256;
/// Time for the handshake, for the head of a request, and for requests under way when the role stops.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
const HEAD_WITHIN: Duration = Duration::from_secs(30);
const DRAIN: Duration = Duration::from_secs(5);
/// Octets of a request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// The door for enrolment.
#[derive(Debug)]
pub struct EnrollConfig {
    /// Where.
    pub listen: Listen,
    /// The server side of TLS, which asks for a client certificate, does without, and proves possession of its key.
    pub tls: Arc<ServerConfig>,
}

/// Serves enrolment until `shutdown`, where it is configured.
pub async fn serve(config: Option<EnrollConfig>, state: State, shutdown: CancellationToken) -> Result<(), Error> {
    let Some(EnrollConfig { listen: address, tls }) = config else {
        shutdown.cancelled().await;
        return Ok(());
    };
    let listener = TcpListener::from_std(listen(address)?).map_err(Error::Listener)?;
    info!(address = ?listener.local_addr().ok(), "listening for enrolment");
    let (acceptor, endpoint) = (TlsAcceptor::from(tls), Arc::new(endpoint(state)));
    let (open, connections) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), TaskTracker::new());
    loop {
        // The semaphore is never closed.
        let Some(Ok(permit)) = shutdown.run_until_cancelled(open.clone().acquire_owned()).await else { break };
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else { break };
        let Ok((socket, address)) = accepted else {
            // For want of file descriptors, perhaps: others must get theirs back first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (acceptor, endpoint, shutdown) = (acceptor.clone(), endpoint.clone(), shutdown.clone());
        connections.spawn(async move {
            converse(acceptor, socket, address, endpoint, &shutdown).await;
            drop(permit);
        });
    }
    connections.close();
    let _ = timeout(DRAIN + Duration::from_secs(1), connections.wait()).await;
    Ok(())
}

/// The API's own endpoints, of which only those for devices are reached here.
fn endpoint(state: State) -> impl Endpoint<Output = Response> {
    let only = |request: Request| async move {
        let path = request.uri().path();
        let for_devices = path == "/api/v1/enroll" || path.starts_with("/api/v1/enroll/");
        if for_devices { Ok(request) } else { Err(Problem::not_found("path on this port").into()) }
    };
    Route::new().nest("/api", routes::endpoint(state.breaker.clone())).before(only).data(state).with(OuterMiddleware)
}

async fn converse<E: Endpoint<Output = Response> + 'static>(
    acceptor: TlsAcceptor,
    socket: TcpStream,
    address: SocketAddr,
    endpoint: Arc<E>,
    shutdown: &CancellationToken,
) {
    let local = socket.local_addr().map(|local| LocalAddr(local.into())).unwrap_or_default();
    let Ok(Ok(stream)) = timeout(HANDSHAKE_WITHIN, acceptor.accept(socket)).await else {
        debug!(%address, "a TLS handshake failed");
        return;
    };
    let chain = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
    let peer = Arc::new(Peer { chain });
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (endpoint, peer, local) = (endpoint.clone(), peer.clone(), local.clone());
        async move {
            let mut request = Request::from((request, local, RemoteAddr(address.into()), Scheme::HTTPS));
            request.extensions_mut().insert(peer);
            Ok::<_, Infallible>(hyper::Response::from(endpoint.get_response(request).await))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(DRAIN, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%address, %error, "a connection for enrolment ended early");
    }
}
