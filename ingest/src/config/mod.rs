//! What the role needs and how it is set. Not how settings are read from files or the environment.

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

/// Tells the time by the platform's clock.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What the role works with.
pub struct Deps {
    /// The event log, connected and with its streams declared.
    pub log: eventlog::Log,
    /// The certificates of the edge.
    pub pki: EdgePki,
    /// The platform's clock.
    pub clock: Clock,
}

/// The certificates of the edge.
#[derive(Clone, Debug)]
pub struct EdgePki {
    /// The platform's root CA, PEM: the only trust anchor for devices.
    pub root_certificate_pem: String,
    /// The server's certificate followed by what leads to the root, PEM.
    pub server_certificate_pem: String,
    /// The server's key, PKCS #8 PEM.
    pub server_private_key_pem: certs::PrivateKeyPem,
}

/// Where devices connect to.
#[derive(Debug)]
pub enum Listen {
    /// Binds this address.
    Address(SocketAddr),
    /// Takes a socket that is bound already.
    Socket(TcpListener),
}

/// How the role behaves.
#[derive(Debug)]
pub struct Config {
    /// Where devices connect to over MQTT and TLS; nowhere when absent.
    pub listen: Option<Listen>,
    /// The door's stable name, of the characters `A-Z a-z 0-9 - _`: the same after a restart, and no other door's.
    pub instance: String,
    /// How many raw shards this door writes, each an own lane of packs: 1 to 16, 2 to 4 are best. It takes those that
    /// the fewest live doors write.
    pub shards: u16,
    /// Limits of connections and devices.
    pub limits: Limits,
    /// The broker that devices connect to instead; none when absent.
    pub bridge: Option<BridgeConfig>,
    /// Where devices connect to over HTTP and TLS; nowhere when absent.
    pub http: Option<HttpConfig>,
    /// Where an EMQX broker asks whether a client may connect; nowhere when absent.
    pub hook: Option<HookConfig>,
    /// Where an EMQX broker is told to end a session; it is not told when absent.
    pub broker_api: Option<BrokerApi>,
}

/// The HTTP door.
#[derive(Debug)]
pub struct HttpConfig {
    /// Where devices connect to.
    pub listen: Listen,
    /// Its own limits; those of connections and devices are the edge's.
    pub limits: HttpLimits,
}

/// Limits of the HTTP door alone.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Longest time that a request waits for the log, before it is told that the outcome is unknown.
    pub answer_within: Duration,
    /// Largest body of a batch, octets; an item may have as many as an MQTT packet.
    pub max_batch_bytes: usize,
    /// Most items of a batch, at most the messages that a device may send at once.
    pub max_batch_items: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(10), max_batch_bytes: 1024 * 1024, max_batch_items: 1_000 }
    }
}

/// Where and how an EMQX broker asks whether a client may connect.
#[derive(Debug)]
pub struct HookConfig {
    /// Where it asks, over TLS with the edge's server certificate.
    pub listen: Listen,
    /// What it sends as `Authorization: Bearer …`, at least 16 characters.
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
    /// Returns the defaults for an edge of this name at this place.
    pub fn edge(listen: Listen, instance: impl Into<String>) -> Self {
        Self { listen: Some(listen), ..Self::new(instance) }
    }

    /// Returns the defaults for a process of this name with no door yet.
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
    /// Largest MQTT packet, fixed header included, in octets.
    pub max_packet_bytes: usize,
    /// Most connections at a time; further ones are closed at once.
    pub max_connections: usize,
    /// Most TLS handshakes at a time; further ones wait.
    pub max_handshakes: usize,
    /// Time for a TLS handshake, and again for the CONNECT after it.
    pub connect_timeout: Duration,
    /// QoS 1 messages of a connection read and not acknowledged yet: MQTT 5's receive maximum. The socket is not read
    /// while there are as many.
    pub receive_maximum: u16,
    /// Messages a second a device may send for long; faster devices are not read for a while.
    pub messages_per_second: u32,
    /// Messages a device may send at once above that.
    pub message_burst: u32,
    /// Longest silence of a client that asks for no keep-alive.
    pub idle_timeout: Duration,
    /// Longest time a device may take to read what is written to it.
    pub write_timeout: Duration,
    /// How old the directory may be for a CONNECT to be answered.
    pub max_directory_lag: Duration,
    /// How long a refusal waits for the directory to reach the head of the log.
    pub catch_up_timeout: Duration,
    /// How long a stop waits for what is in flight.
    pub drain_timeout: Duration,
    /// Octets that wait for the log in each lane; further messages wait in their sockets.
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
