//! Settings of the listeners: HTTP API, MQTT edge, HTTP ingest, enrolment and probes.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// The HTTP API and the page.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address to listen on.
    pub listen: String,
    /// Port; overrides `port_base`.
    pub port: Option<u16>,
    /// Public base URL of the API, `https://host`; certificates name their CRL distribution point below it.
    pub public_url: Option<String>,
    /// Whether the refresh cookie has the attribute `Secure`. Browsers then send it over HTTPS and to `localhost` only.
    pub secure_cookies: bool,
    /// Number of trusted reverse proxies that append to `X-Forwarded-For`.
    pub trusted_proxies: u8,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: loopback(), port: None, public_url: None, secure_cookies: true, trusted_proxies: 0 }
    }
}

impl Http {
    /// Returns the public base URL without a trailing slash. Errors when it has another scheme, a user, or a query.
    pub fn public_base_url(&self) -> anyhow::Result<Option<String>> {
        let Some(url) = &self.public_url else { return Ok(None) };
        let url = url.trim_end_matches('/');
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
        if rest.is_empty() || !url.is_ascii() || rest.contains([' ', '?', '#', '@']) {
            bail!("http.public_url {url:?} is not of the form http://host or https://host");
        }
        Ok(Some(url.to_owned()))
    }
}

/// The MQTT edge: devices connect with mutual TLS.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Address to listen on.
    pub listen: String,
    /// Port; overrides `port_base`.
    pub port: Option<u16>,
    /// DNS names and IP addresses in the server's certificate.
    pub server_names: Vec<String>,
    /// Maximum number of concurrent connections.
    pub max_connections: usize,
    /// Maximum messages per second of one device.
    pub max_device_rate: u32,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            listen: loopback(),
            port: None,
            server_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            max_connections: 20_000,
            max_device_rate: 200,
        }
    }
}

/// Telemetry ingest over HTTPS; server certificate and rate limits are those of `mqtt`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestHttp {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub listen: String,
    /// Port; overrides `port_base`.
    pub port: Option<u16>,
}

impl Default for IngestHttp {
    fn default() -> Self {
        Self { enabled: true, listen: loopback(), port: None }
    }
}

/// Enrolment and renewal of device certificates over HTTPS with optional client certificates. The `api` role serves it
/// with the server certificate of `mqtt`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enroll {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub listen: String,
    /// Port; overrides `port_base`.
    pub port: Option<u16>,
}

impl Default for Enroll {
    fn default() -> Self {
        Self { enabled: true, listen: loopback(), port: None }
    }
}

/// Where `ingest`, `process` and `project` serve `/health`, `/ready` and `/metrics`. The `api` role serves them on its
/// own port, for all roles of its process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Address to listen on.
    pub listen: String,
    /// Port; probes are off when absent.
    pub port: Option<u16>,
}

impl Default for Probe {
    fn default() -> Self {
        Self { listen: loopback(), port: None }
    }
}

/// Returns the address to listen on. Errors when `host` is not an IP address.
pub fn socket_address(host: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let host = host.parse().with_context(|| format!("{host:?} is not an IP address to listen on"))?;
    Ok(SocketAddr::new(host, port))
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_a_scheme_and_a_host() {
        let base_url = |url: &str| {
            let http = Http { public_url: Some(url.to_owned()), ..Http::default() };
            http.public_base_url().map_err(|error| error.to_string())
        };
        assert_eq!(base_url("https://iot.example/"), Ok(Some("https://iot.example".to_owned())));
        for wrong in ["", "iot.example", "ftp://iot.example", "http://", "https://me:secret@iot.example", "http://a?b"]
        {
            assert!(base_url(wrong).unwrap_err().starts_with("http.public_url "), "{wrong}");
        }
        assert_eq!(Http::default().public_base_url().unwrap(), None);
    }
}
