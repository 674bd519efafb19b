//! Serves HTTP/1.1 on an established TLS connection and hands every request the identity of its peer. The handshake and
//! the verification of certificates live with each listener.

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
use poem::{Endpoint, Request, Response};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// A TLS connection after its handshake; boxed because the TLS state takes more than a kilobyte.
pub type Stream = Box<TlsStream<TcpStream>>;

/// How long one connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the head of a request, which includes the idle time between two requests.
    pub head: Duration,
    /// For the request in flight when the role shuts down.
    pub drain: Duration,
}

/// Returns the certificates that the peer presented in the handshake, its own first; empty if it presented none.
pub fn peer_certificates(stream: &Stream) -> Vec<CertificateDer<'static>> {
    stream.get_ref().1.peer_certificates().map(<[_]>::to_vec).unwrap_or_default()
}

/// Serves the requests of one connection until it closes or `shutdown` is cancelled. Every request carries `peer` in
/// its extensions.
pub async fn serve_connection<E, P>(
    stream: Stream,
    address: SocketAddr,
    peer: P,
    endpoint: Arc<E>,
    timeouts: Timeouts,
    shutdown: &CancellationToken,
) where
    E: Endpoint<Output = Response> + 'static,
    P: Clone + Send + Sync + 'static,
{
    let local = stream.get_ref().0.local_addr().map(|local| LocalAddr(local.into())).unwrap_or_default();
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (endpoint, peer, local) = (endpoint.clone(), peer.clone(), local.clone());
        async move {
            let mut request = Request::from((request, local, RemoteAddr(address.into()), Scheme::HTTPS));
            request.extensions_mut().insert(peer);
            Ok::<_, Infallible>(hyper::Response::from(endpoint.get_response(request).await))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(timeouts.head).max_buf_size(MAX_HEAD_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            // A request that outlasts the drain is cut off; that is no error of the connection.
            timeout(timeouts.drain, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%address, error = eventlog::error_chain(&error), "HTTPS connection ended early");
    }
}
