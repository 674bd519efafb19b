//! Why a server cannot start or stops, and how errors are rendered in one line.

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

/// Renders an error and its causes in one line, separated by `: `. `eventlog` has the same function, on which this
/// crate must not depend.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
