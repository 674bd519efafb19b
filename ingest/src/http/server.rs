//! HTTP/1.1 over TLS on one listener: each connection's requests go to an endpoint, with who is at the other end. Not
//! what the endpoint does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use certs::Identity;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request, Response};
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::config::Limits;
use crate::edge::handshake::Stream;
use crate::tcp_accept::accept_connections;

/// How long a connection may be silent between requests, or take to send the head of one.
const HEAD_WITHIN: Duration = Duration::from_secs(60);
/// Octets of a request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// Who is at the other end of a connection.
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// The certificates that it presented in the handshake, its own first; none where it presented none.
    pub chain: Vec<CertificateDer<'static>>,
    /// Whose certificate it is, once the chain was found to hold.
    pub proven: OnceLock<Identity>,
}

/// Serves HTTP until the shutdown, then waits for requests under way. `greet` shakes hands; none ends the connection.
pub async fn serve<F>(
    listener: TcpListener,
    greet: impl Fn(TcpStream, SocketAddr) -> F,
    endpoint: impl Endpoint<Output = Response> + 'static,
    limits: &Limits,
    shutdown: CancellationToken,
) where
    F: Future<Output = Option<Stream>> + Send + 'static,
{
    let (endpoint, drain) = (Arc::new(endpoint), limits.drain_timeout);
    let connections = accept_connections(&listener, limits.max_connections, &shutdown, |socket, address| {
        let (greeting, endpoint, shutdown) = (greet(socket, address), endpoint.clone(), shutdown.clone());
        async move {
            if let Some(Some(stream)) = shutdown.run_until_cancelled(greeting).await {
                converse(stream, address, endpoint, drain, &shutdown).await;
            }
        }
    })
    .await;
    drop(listener);
    if timeout(drain + Duration::from_secs(1), connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "HTTP connections were cut off");
    }
}

async fn converse<E: Endpoint<Output = Response> + 'static>(
    stream: Stream,
    address: SocketAddr,
    endpoint: Arc<E>,
    drain: Duration,
    shutdown: &CancellationToken,
) {
    let chain = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
    let local = stream.get_ref().0.local_addr().map(|local| LocalAddr(local.into())).unwrap_or_default();
    let peer = Arc::new(Peer { address, chain, proven: OnceLock::new() });
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
            timeout(drain, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%address, %error, "an HTTP connection ended early");
    }
}
