//! Why a server cannot start or stops.

use std::net::SocketAddr;

/// Why serving did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another program listens on the address.
    #[error("port {port} is in use: another program listens on {0}; stop it or choose another port", port = .0.port())]
    AddressInUse(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// A bound listener cannot be used.
    #[error("cannot use the listener")]
    Listener(#[source] std::io::Error),
    /// The HTTP server failed.
    #[error("serving HTTP failed")]
    Serve(#[source] std::io::Error),
}
