//! The address of Redis and how to connect to it.

use std::path::PathBuf;

use redis::aio::ConnectionManager;
use redis::{Client, IntoConnectionInfo, TlsCertificates};

use crate::Error;

/// A Redis server, and the key prefix of this installation.
#[derive(Clone)]
pub struct RedisServer {
    /// `redis://[user:password@]host:port/`, or `rediss://…` with TLS.
    pub url: String,
    /// The CA certificates to verify the server with, PEM; those of the system when absent.
    pub tls_ca_file: Option<PathBuf>,
    /// The prefix of every key; empty in production.
    pub key_prefix: String,
}

impl RedisServer {
    /// Returns a server without TLS.
    pub fn plain(url: &str, key_prefix: &str) -> Self {
        Self { url: url.to_owned(), tls_ca_file: None, key_prefix: key_prefix.to_owned() }
    }

    /// Connects; errors if the server does not answer or its certificate is not from these CAs.
    pub async fn connect(&self) -> Result<ConnectionManager, Error> {
        Ok(self.client()?.get_connection_manager().await?)
    }

    fn client(&self) -> Result<Client, Error> {
        let Some(path) = &self.tls_ca_file else { return Ok(Client::open(self.url.as_str())?) };
        let info = self.url.as_str().into_connection_info()?;
        if !matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. }) {
            return Err(Error::TlsRequired);
        }
        let root = std::fs::read(path).map_err(|source| Error::CaFile { path: path.clone(), source })?;
        Ok(Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(root) })?)
    }
}

impl std::fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RedisServer").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_is_refused_without_tls_and_if_it_does_not_exist() {
        let with =
            |url: &str, file: &str| RedisServer { tls_ca_file: Some(file.into()), ..RedisServer::plain(url, "") };
        let refused = with("redis://127.0.0.1:1/", "/nowhere/ca.crt").client().unwrap_err();
        assert!(matches!(refused, Error::TlsRequired), "{refused}");
        let refused = with("rediss://127.0.0.1:1/", "/nowhere/ca.crt").client().unwrap_err();
        assert!(refused.to_string().contains("/nowhere/ca.crt"), "{refused}");
    }
}
