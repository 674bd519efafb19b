//! Settings of the bridge: the broker's address, the service account, and how much is read at a time.

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

/// Keep-alive interval of the bridge's connections.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The largest packet of the MQTT standard (3.1.1, 2.2.3). Messages too large for telemetry must be read as well,
/// because the broker would deliver them again and again.
const MAX_PACKET_BYTES: usize = 268_435_455;
/// Capacity of the client's request queue; it only holds subscriptions.
pub const REQUEST_QUEUE: usize = 8;

/// Settings of the bridge.
#[derive(Clone, Debug)]
pub struct BridgeConfig {
    /// The broker's address.
    pub address: Address,
    /// Name of the bridge's service account.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// CA certificates that the broker's certificate must chain to, PEM; the system's trust store is not used.
    pub authority_pem: Option<String>,
    /// The shared subscription group. Without one every bridge receives every message, so that only one may run.
    pub group: Option<String>,
    /// Connections of this process, each with its own subscription.
    pub connections: u16,
    /// Most messages of a connection read and not acknowledged; the broker's in-flight limit should not be higher.
    pub max_unacknowledged: usize,
    /// The broker's name in presence facts, the same for all bridges of the broker.
    pub broker: String,
    /// How the broker learns which devices may connect; it does not if absent.
    pub dynamic_security: Option<DynamicSecurity>,
}

impl BridgeConfig {
    /// Returns the default settings for a broker.
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

    /// Returns the topic filter of the telemetry subscription.
    pub fn filter(&self) -> String {
        match &self.group {
            Some(group) => format!("$share/{group}/v1/telemetry/#"),
            None => "v1/telemetry/#".to_owned(),
        }
    }

    /// Checks the settings without connecting.
    pub fn check(&self) -> Result<(), AddressError> {
        self.options("argusiq").map(drop)
    }

    /// Returns the number of connections: without a group each would receive every message, so there is only one.
    pub fn connection_count(&self) -> u16 {
        if self.group.is_some() { self.connections.max(1) } else { 1 }
    }

    /// Returns the MQTT options of the service account under this client id. The session outlives the connection.
    pub fn options(&self, client_id: &str) -> Result<MqttOptions, AddressError> {
        let mut options = self.bare_options(client_id)?;
        options.set_clean_session(false).set_manual_acks(true);
        if let Some(user) = &self.user {
            options.set_credentials(user, self.password.as_ref().map_or("", Secret::expose));
        }
        Ok(options)
    }

    /// Returns the MQTT options of another account, whose session ends with its connection.
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
        // Sections with another label, such as `TRUSTED CERTIFICATE`, are skipped: nobody would be trusted.
        if roots.is_empty() {
            return Err(AddressError::Authority);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Ok(builder.map_err(|_| AddressError::Authority)?.with_root_certificates(roots).with_no_client_auth())
    }
}

/// A broker's address: `mqtt://host:port`, or `mqtts://host:port` with TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    tls: bool,
}

/// Why the settings do not permit a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The address is invalid.
    #[error("{0:?} is not a broker address; write mqtt://host:port or mqtts://host:port")]
    Url(String),
    /// TLS needs a CA certificate.
    #[error("a broker at mqtts:// needs a CA certificate; set bridge.authority_file")]
    NoAuthority,
    /// The CA file contains no certificate.
    #[error("bridge.authority_file contains no PEM certificate")]
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
        // User and password have their own settings, which are never printed.
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
    fn an_address_has_a_scheme_a_host_and_an_optional_port() {
        let shown = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(shown("mqtt://emqx:1884"), Ok("mqtt://emqx:1884".to_owned()));
        assert_eq!(shown("mqtt://emqx"), Ok("mqtt://emqx:1883".to_owned()));
        assert_eq!(shown("mqtts://emqx/"), Ok("mqtts://emqx:8883".to_owned()));
        for text in ["emqx:1883", "http://emqx", "mqtt://", "mqtt://user:secret@emqx", "mqtt://emqx/path"] {
            assert_eq!(shown(text), Err(AddressError::Url(text.to_owned())));
        }
    }

    #[test]
    fn without_a_group_there_is_one_connection_and_no_shared_subscription() {
        let mut config = BridgeConfig::new("mqtt://emqx".parse().unwrap());
        assert_eq!((config.filter().as_str(), config.connection_count()), ("$share/bridge-group/v1/telemetry/#", 2));
        config.group = None;
        assert_eq!((config.filter().as_str(), config.connection_count()), ("v1/telemetry/#", 1));
    }

    #[test]
    fn tls_without_a_valid_ca_certificate_is_refused() {
        let mut config = BridgeConfig::new("mqtts://emqx".parse().unwrap());
        assert_eq!(config.options("x").err(), Some(AddressError::NoAuthority));
        for label in ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE", "CERTIFICATE REQUEST"] {
            config.authority_pem = Some(format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n"));
            assert_eq!(config.options("x").err(), Some(AddressError::Authority), "{label}");
        }
    }
}
