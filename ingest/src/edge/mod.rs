//! The edge: an MQTT listener for devices with mutual TLS. It only ingests telemetry and is not a broker: no topic
//! tree, no retained messages, no fan-out, no stored sessions. A PUBACK or PUBREC means that the message is on disk.

mod acks;
pub mod connect;
mod connection;
mod frame;
pub mod handshake;
mod listener;
mod packet;
mod publish;
pub mod rate_limit;
mod reply;
mod session;
mod session_end;
pub mod session_registry;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use handshake::{ClientCertificates, Error as TlsError, HandshakeContext, Tls};
pub use listener::listen;
use rate_limit::Rate;
pub use session_end::SessionEnd;
use session_registry::SessionRegistry;

use crate::config::{Clock, Limits};
use crate::directory::Directory;
use crate::directory::feed::Feed;
use crate::meters::Meters;
use crate::pipeline::Pipeline;
use crate::presence::Presence;

/// State that all connections of the edge share.
pub struct Edge {
    /// The server side of TLS.
    pub tls: Tls,
    /// Limits of connections and devices.
    pub limits: Limits,
    /// The message rate of each device.
    pub rate: Rate,
    /// The platform's clock.
    pub clock: Clock,
    /// The latest state of devices and certificates.
    pub directory: Arc<Directory>,
    /// Keeps the directory fresh and knows its lag.
    pub feed: Arc<Feed>,
    /// Where messages go.
    pub pipeline: Arc<Pipeline>,
    /// Where presence facts go.
    pub presence: Arc<Presence>,
    /// The live sessions.
    pub sessions: Arc<SessionRegistry>,
    /// Metric handles.
    pub meters: Arc<Meters>,
    /// Limits concurrent handshakes.
    pub handshakes: Semaphore,
    /// Cancelled when the edge shuts down.
    pub shutdown: CancellationToken,
}

impl Edge {
    /// Returns what a handshake needs.
    fn handshake_context(&self) -> HandshakeContext<'_> {
        let Self { tls, handshakes, presence, limits, .. } = self;
        HandshakeContext { tls, handshakes, presence, within: limits.connect_timeout }
    }
}
