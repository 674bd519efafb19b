//! Dependencies and settings of the ingest role. The root package reads them from files and the environment.

mod api_url;
mod bridge;
mod mosquitto;
mod secret;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;

pub use api_url::InvalidApiUrl;
pub use bridge::{Address as BrokerAddress, AddressError as BrokerAddressError, BridgeConfig, REQUEST_QUEUE};
pub use mosquitto::{DynamicSecurity, RevocationFile};
pub use secret::Secret;

/// Returns the current time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Dependencies of the role.
pub struct Deps {
    /// The event log, connected and with its streams declared.
    pub log: eventlog::Log,
    /// Certificates of the edge.
    pub pki: EdgePki,
    /// The platform's clock.
    pub clock: Clock,
}

/// Certificates of the edge.
#[derive(Clone, Debug)]
pub struct EdgePki {
    /// The platform's root CA, PEM: the only trust anchor for devices.
    pub root_certificate_pem: String,
    /// The server certificate and its intermediates, PEM.
    pub server_certificate_pem: String,
    /// The server's private key, PKCS #8 PEM.
    pub server_private_key_pem: certs::PrivateKeyPem,
}

/// Where a door listens.
#[derive(Debug)]
pub enum Listen {
    /// Bind this address.
    Address(SocketAddr),
    /// Use a socket that is bound already.
    Socket(TcpListener),
}

/// Settings of the role.
#[derive(Debug)]
pub struct Config {
    /// The MQTT listener with mutual TLS; none if absent.
    pub listen: Option<Listen>,
    /// The stable and unique name of this instance, of the characters `A-Z a-z 0-9 - _`; it must not change on a
    /// restart.
    pub instance: String,
    /// Number of raw shards that this instance writes, each with its own lane of packs: 1 to 16; 2 to 4 perform best.
    /// It takes the shards that the fewest live doors use.
    pub shards: u16,
    /// Limits of connections and devices.
    pub limits: Limits,
    /// The broker that devices connect to instead of the edge; none if absent.
    pub bridge: Option<BridgeConfig>,
    /// The HTTP door; none if absent.
    pub http: Option<HttpConfig>,
    /// The authentication hook for an EMQX broker; none if absent.
    pub hook: Option<HookConfig>,
    /// The management API of an EMQX broker, used to end sessions; sessions are not ended there if absent.
    pub broker_api: Option<BrokerApi>,
}

/// Settings of the HTTP door.
#[derive(Debug)]
pub struct HttpConfig {
    /// Where it listens.
    pub listen: Listen,
    /// Limits of the HTTP door; limits of connections and devices are in [`Limits`].
    pub limits: HttpLimits,
}

/// Limits of the HTTP door.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Longest time a request waits for the log before it is answered with "outcome unknown".
    pub answer_within: Duration,
    /// Largest body of a batch in bytes; each item may be as large as an MQTT packet.
    pub max_batch_bytes: usize,
    /// Most items of a batch; capped at the message burst of a device.
    pub max_batch_items: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(10), max_batch_bytes: 1024 * 1024, max_batch_items: 1_000 }
    }
}

/// Settings of the authentication hook for an EMQX broker.
#[derive(Debug)]
pub struct HookConfig {
    /// Where it listens, over TLS with the edge's server certificate.
    pub listen: Listen,
    /// The secret that EMQX sends as `Authorization: Bearer …`; at least 16 characters.
    pub secret: Secret,
}

/// The management API of an EMQX broker.
#[derive(Clone, Debug)]
pub struct BrokerApi {
    /// `http://host:port`.
    pub url: String,
    /// The API key.
    pub key: String,
    /// Its secret.
    pub secret: Secret,
}

impl Config {
    /// Returns the default settings of an edge.
    pub fn edge(listen: Listen, instance: impl Into<String>) -> Self {
        Self { listen: Some(listen), ..Self::new(instance) }
    }

    /// Returns default settings without any door.
    pub fn new(instance: impl Into<String>) -> Self {
        Self {
            listen: None,
            bridge: None,
            instance: instance.into(),
            shards: 2,
            limits: Limits::default(),
            http: None,
            hook: None,
            broker_api: None,
        }
    }
}

/// Limits of connections and devices.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest MQTT packet in bytes, including the fixed header.
    pub max_packet_bytes: usize,
    /// Most concurrent connections; further ones are closed at once.
    pub max_connections: usize,
    /// Most concurrent TLS handshakes; further ones wait.
    pub max_handshakes: usize,
    /// Timeout of the TLS handshake, and again of the CONNECT after it.
    pub connect_timeout: Duration,
    /// Most unacknowledged QoS 1 messages of a connection (MQTT 5's receive maximum). At the limit the socket is not
    /// read.
    pub receive_maximum: u16,
    /// Sustained message rate of a device, a second; a device above it is not read for a while.
    pub messages_per_second: u32,
    /// Messages that a device may send at once above that rate.
    pub message_burst: u32,
    /// Longest silence of a client without a keep-alive.
    pub idle_timeout: Duration,
    /// Longest time a device may take to read what is sent to it.
    pub write_timeout: Duration,
    /// Largest directory lag at which a CONNECT is decided.
    pub max_directory_lag: Duration,
    /// How long a refusal may wait for the directory to catch up with the log.
    pub catch_up_timeout: Duration,
    /// How long a shutdown waits for messages in flight.
    pub drain_timeout: Duration,
    /// Bytes that may wait for the log in each lane; further messages wait in their sockets.
    pub lane_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_packet_bytes: 256 * 1024,
            max_connections: 20_000,
            max_handshakes: 256,
            connect_timeout: Duration::from_secs(10),
            receive_maximum: 64,
            messages_per_second: 1_000,
            message_burst: 1_000,
            idle_timeout: Duration::from_secs(3_600),
            write_timeout: Duration::from_secs(20),
            max_directory_lag: Duration::from_secs(5),
            catch_up_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(5),
            lane_bytes: 16 * 1024 * 1024,
        }
    }
}
