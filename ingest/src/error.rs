//! Why the ingest role cannot start, or stops.

use std::net::SocketAddr;

use crate::config::InvalidApiUrl;
use crate::directory::feed;
use crate::edge::TlsError;

/// Why the role cannot run, or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen for {what} on {address}; is the port in use, or another one needed?")]
    Listen {
        /// For whom.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The edge's certificates cannot be used.
    #[error("cannot set up TLS for devices")]
    Tls(#[source] TlsError),
    /// The door cannot enter the membership.
    #[error("cannot join the doors as {instance}")]
    Join {
        /// The door's name.
        instance: String,
        /// What the log says.
        #[source]
        source: eventlog::members::Error,
    },
    /// The secret of the broker's hook can be guessed.
    #[error("the secret of the broker's hook (emqx.hook_secret) must have 16 characters or more")]
    HookSecret,
    /// The broker's API has no address.
    #[error(transparent)]
    BrokerApi(InvalidApiUrl),
    /// The listener died.
    #[error("the listener for devices has stopped")]
    Stopped(#[source] tokio::task::JoinError),
    /// The directory no longer follows the log.
    #[error("the edge has lost the log")]
    Directory(#[source] feed::Error),
}
