//! How the bridge is set: where the broker is, who the bridge is there, and how much it takes at a time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use url::Url;

use super::Secret;
use super::mosquitto::DynamicSecurity;

/// How often the bridge says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Largest packet that MQTT knows (3.1.1, 2.2.3): what is too large for telemetry is read all the same, because the
/// broker would deliver it again and again.
const MAX_PACKET_BYTES: usize = 268_435_455;
/// Requests that may wait to be sent: subscriptions, no more.
pub const REQUEST_QUEUE: usize = 8;

/// How the bridge is set.
#[derive(Clone, Debug)]
pub struct BridgeConfig {
    /// Where the broker is.
    pub address: Address,
    /// Name of the service account.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// Certificates to believe a broker with TLS by, PEM; those of the system are not asked.
    pub authority_pem: Option<String>,
    /// The group of subscribers that share the messages; without one every bridge would get all of them, so that only
    /// one may run.
    pub group: Option<String>,
    /// Connections of this process, each a subscriber of its own.
    pub connections: u16,
    /// Messages of a connection read and not acknowledged yet; the broker's own limit should be no higher.
    pub max_unacknowledged: usize,
    /// The broker's name in presence facts, the same for all bridges behind it.
    pub broker: String,
    /// How the broker is told who may connect; it is not told when absent.
    pub dynamic_security: Option<DynamicSecurity>,
}

impl BridgeConfig {
    /// Returns the defaults for a broker at this place.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            user: None,
            password: None,
            authority_pem: None,
            group: Some("bridge-group".to_owned()),
            connections: 2,
            max_unacknowledged: 1_000,
            broker: "broker".to_owned(),
            dynamic_security: None,
        }
    }

    /// The filter that telemetry is subscribed with.
    pub fn filter(&self) -> String {
        match &self.group {
            Some(group) => format!("$share/{group}/v1/telemetry/#"),
            None => "v1/telemetry/#".to_owned(),
        }
    }

    /// Tells whether a connection could be made with these settings, without making one.
    pub fn check(&self) -> Result<(), AddressError> {
        self.options("argusiq").map(drop)
    }

    /// How many connections there are: without a group each would get every message, so that there is one.
    pub fn connection_count(&self) -> u16 {
        if self.group.is_some() { self.connections.max(1) } else { 1 }
    }

    /// Returns the options of a connection under this client id. Its session outlives the connection.
    pub fn options(&self, client_id: &str) -> Result<MqttOptions, AddressError> {
        let mut options = self.bare_options(client_id)?;
        options.set_clean_session(false).set_manual_acks(true);
        if let Some(user) = &self.user {
            options.set_credentials(user, self.password.as_ref().map_or("", Secret::expose));
        }
        Ok(options)
    }

    /// Returns the options of a connection of somebody else, whose session ends with it.
    pub fn administrator(&self, client_id: &str, user: &str, password: &str) -> Result<MqttOptions, AddressError> {
        let mut options = self.bare_options(client_id)?;
        options.set_credentials(user, password);
        Ok(options)
    }

    fn bare_options(&self, client_id: &str) -> Result<MqttOptions, AddressError> {
        let mut options = MqttOptions::new(client_id, &self.address.host, self.address.port);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES)
            .set_request_channel_capacity(REQUEST_QUEUE);
        if self.address.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(self.tls()?))));
        }
        Ok(options)
    }

    fn tls(&self) -> Result<ClientConfig, AddressError> {
        let pem = self.authority_pem.as_deref().ok_or(AddressError::NoAuthority)?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| AddressError::Authority)?;
            roots.add(certificate).map_err(|_| AddressError::Authority)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Ok(builder.map_err(|_| AddressError::Authority)?.with_root_certificates(roots).with_no_client_auth())
    }
}

/// Where a broker is: `mqtt://host:port`, or `mqtts://host:port` with TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    tls: bool,
}

/// Why the bridge cannot reach a broker as it is set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address of a broker.
    #[error("{0:?} is no broker: write mqtt://host:port or mqtts://host:port")]
    Url(String),
    /// TLS needs somebody to believe.
    #[error("a broker at mqtts:// is believed by the certificate of its authority: set bridge.authority_file")]
    NoAuthority,
    /// The authority's certificates are none.
    #[error("bridge.authority_file holds no certificates in PEM")]
    Authority,
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refused = || AddressError::Url(text.to_owned());
        let url = Url::parse(text).map_err(|_| refused())?;
        let (tls, usual) = match url.scheme() {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return Err(refused()),
        };
        // Names and passwords have settings of their own, which are not printed.
        let bare = url.username().is_empty() && url.password().is_none() && matches!(url.path(), "" | "/");
        let host = url.host_str().filter(|_| bare).ok_or_else(refused)?;
        Ok(Self { host: host.to_owned(), port: url.port().unwrap_or(usual), tls })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_perhaps_a_port() {
        let shown = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(shown("mqtt://emqx:1884"), Ok("mqtt://emqx:1884".to_owned()));
        assert_eq!(shown("mqtt://emqx"), Ok("mqtt://emqx:1883".to_owned()));
        assert_eq!(shown("mqtts://emqx/"), Ok("mqtts://emqx:8883".to_owned()));
        for text in ["emqx:1883", "http://emqx", "mqtt://", "mqtt://user:secret@emqx", "mqtt://emqx/path"] {
            assert_eq!(shown(text), Err(AddressError::Url(text.to_owned())));
        }
    }

    #[test]
    fn a_group_shares_the_messages_and_without_one_there_is_one_connection() {
        let mut config = BridgeConfig::new("mqtt://emqx".parse().unwrap());
        assert_eq!((config.filter().as_str(), config.connection_count()), ("$share/bridge-group/v1/telemetry/#", 2));
        config.group = None;
        assert_eq!((config.filter().as_str(), config.connection_count()), ("v1/telemetry/#", 1));
    }

    #[test]
    fn tls_without_an_authority_is_refused() {
        let mut config = BridgeConfig::new("mqtts://emqx".parse().unwrap());
        assert_eq!(config.options("x").err(), Some(AddressError::NoAuthority));
        config.authority_pem = Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into());
        assert_eq!(config.options("x").err(), Some(AddressError::Authority));
    }
}
