//! An HTTP/1.1 listener over TLS: passes the requests of each connection to an endpoint, together with the peer.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use certs::Identity;
use poem::{Endpoint, Response};
use rustls_pki_types::CertificateDer;
use serving::tls::{self, Timeouts};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config::Limits;
use crate::edge::handshake::Stream;
use crate::tcp_accept::accept_connections;

/// How long a connection may be idle between requests, or take to send the head of one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// The peer of a connection.
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// The certificates that it presented in the handshake, its own first; empty if it presented none.
    pub chain: Vec<CertificateDer<'static>>,
    /// The identity in its certificate, once the chain has been verified.
    pub verified_identity: OnceLock<Identity>,
}

/// Serves HTTP until the shutdown, then waits for requests in flight. `handshake` returns `None` to close a connection.
pub async fn serve<F>(
    listener: TcpListener,
    handshake: impl Fn(TcpStream, SocketAddr) -> F,
    endpoint: impl Endpoint<Output = Response> + 'static,
    limits: &Limits,
    shutdown: CancellationToken,
) where
    F: Future<Output = Option<Stream>> + Send + 'static,
{
    let (endpoint, drain) = (Arc::new(endpoint), limits.drain_timeout);
    let timeouts = Timeouts { head: HEAD_TIMEOUT, drain };
    let connections = accept_connections(&listener, limits.max_connections, &shutdown, |socket, address| {
        let (handshake, endpoint, shutdown) = (handshake(socket, address), endpoint.clone(), shutdown.clone());
        async move {
            if let Some(Some(stream)) = shutdown.run_until_cancelled(handshake).await {
                let chain = tls::peer_certificates(&stream);
                let peer = Arc::new(Peer { address, chain, verified_identity: OnceLock::new() });
                tls::serve_connection(stream, address, peer, endpoint, timeouts, &shutdown).await;
            }
        }
    })
    .await;
    drop(listener);
    // One second more than the connections themselves take, so that their own timeout comes first.
    if timeout(drain + Duration::from_secs(1), connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "closed HTTP connections that did not finish draining");
    }
}
