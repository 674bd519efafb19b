//! The error type of the ingest role.

use std::net::SocketAddr;

use crate::config::InvalidApiUrl;
use crate::directory::feed;
use crate::edge::TlsError;

/// Why the role cannot start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A listener cannot be bound.
    #[error("failed to listen for {what} on {address}; is the port in use?")]
    Listen {
        /// What the listener is for.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The edge's certificates cannot be used.
    #[error("failed to set up TLS for devices")]
    Tls(#[source] TlsError),
    /// The instance cannot join the membership.
    #[error("failed to join the membership as {instance}")]
    Join {
        /// The instance's name.
        instance: String,
        /// The log's error.
        #[source]
        source: eventlog::members::Error,
    },
    /// The secret of the authentication hook is too short.
    #[error("the secret of the broker's hook (emqx.hook_secret) must have 16 characters or more")]
    HookSecret,
    /// The URL of the broker's API is invalid.
    #[error(transparent)]
    BrokerApi(InvalidApiUrl),
    /// A listener task panicked.
    #[error("the listener for devices has stopped")]
    Stopped(#[source] tokio::task::JoinError),
    /// The directory can no longer follow the log.
    #[error("the device directory lost the log")]
    Directory(#[source] feed::Error),
}
