//! Why the API cannot be served at all. What does not live here: answers to single requests (`problem`).

use std::net::SocketAddr;

/// Why serving did not begin, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else listens there.
    #[error("port {port} is in use: another program listens on {0}; stop it or choose another port", port = .0.port())]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The given listener cannot be used.
    #[error("the given listener cannot be used")]
    Listener(#[source] std::io::Error),
    /// The live feed cannot read the log.
    #[error("the live feed failed")]
    Feed(#[source] projections::Error),
    /// Serving failed.
    #[error("serving HTTP failed")]
    Serve(#[source] std::io::Error),
}
