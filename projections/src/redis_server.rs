//! Where Redis is and how it is connected to. What does not live here: what is kept in it.

use std::path::PathBuf;

use redis::aio::ConnectionManager;
use redis::{Client, IntoConnectionInfo, TlsCertificates};

use crate::Error;

/// Redis, and the part of its keys that is this installation's.
#[derive(Clone)]
pub struct RedisServer {
    /// `redis://[user:password@]host:port/`, or `rediss://…` with TLS.
    pub url: String,
    /// Certificates of the authorities that its certificate comes from, PEM; those of the system when absent.
    pub tls_ca_file: Option<PathBuf>,
    /// What every key begins with; empty in production.
    pub key_prefix: String,
}

impl RedisServer {
    /// Redis without TLS.
    pub fn plain(url: &str, key_prefix: &str) -> Self {
        Self { url: url.to_owned(), tls_ca_file: None, key_prefix: key_prefix.to_owned() }
    }

    /// Connects; errors when it does not answer, or not with a certificate of these authorities.
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
    fn authorities_without_tls_are_refused_and_so_is_a_file_that_is_not_there() {
        let with =
            |url: &str, file: &str| RedisServer { tls_ca_file: Some(file.into()), ..RedisServer::plain(url, "") };
        let refused = with("redis://127.0.0.1:1/", "/nowhere/ca.crt").client().unwrap_err();
        assert!(matches!(refused, Error::TlsRequired), "{refused}");
        let refused = with("rediss://127.0.0.1:1/", "/nowhere/ca.crt").client().unwrap_err();
        assert!(refused.to_string().contains("/nowhere/ca.crt"), "{refused}");
    }
}
