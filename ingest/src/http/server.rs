//! HTTP/1.1 over TLS on one listener: each connection's requests go to an endpoint, with who is at the other end. Not
//! what the endpoint does.

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

/// How long a connection may be silent between requests, or take to send the head of one.
const HEAD_WITHIN: Duration = Duration::from_secs(60);

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
    let timeouts = Timeouts { head: HEAD_WITHIN, drain };
    let connections = accept_connections(&listener, limits.max_connections, &shutdown, |socket, address| {
        let (greeting, endpoint, shutdown) = (greet(socket, address), endpoint.clone(), shutdown.clone());
        async move {
            if let Some(Some(stream)) = shutdown.run_until_cancelled(greeting).await {
                let chain = tls::peer_certificates(&stream);
                let peer = Arc::new(Peer { address, chain, proven: OnceLock::new() });
                tls::serve_connection(stream, address, peer, endpoint, timeouts, &shutdown).await;
            }
        }
    })
    .await;
    drop(listener);
    if timeout(drain + Duration::from_secs(1), connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "HTTP connections were cut off");
    }
}
