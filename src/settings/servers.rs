//! Settings of the servers that the platform stores its data in: NATS, PostgreSQL and Redis.

use std::path::PathBuf;

use anyhow::bail;
use eventlog::Credentials;
use serde::{Deserialize, Serialize};

use super::secret::{Secret, resolve};

/// The log: NATS JetStream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://host:port`, several separated by commas; the local stack's own when absent.
    pub url: Option<String>,
    /// User name; requires a password.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<Secret>,
    /// File that contains the password; the trailing line break is ignored.
    pub password_file: Option<PathBuf>,
    /// CA certificates that the servers' certificates are verified against (PEM); TLS is required when set.
    pub tls_ca_file: Option<PathBuf>,
    /// Client certificate, for servers that request one.
    pub tls_certificate_file: Option<PathBuf>,
    /// Private key of `tls_certificate_file`.
    pub tls_key_file: Option<PathBuf>,
    /// Prefix of every stream, bucket and subject; lets several installations share a server.
    pub stream_prefix: String,
    /// Replicas of each stream.
    pub replicas: usize,
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            url: None,
            user: None,
            password: None,
            password_file: None,
            tls_ca_file: None,
            tls_certificate_file: None,
            tls_key_file: None,
            stream_prefix: String::new(),
            replicas: 1,
        }
    }
}

impl Nats {
    /// Returns the credentials and TLS files. Errors when one of a pair is missing or a file cannot be read.
    pub fn credentials(&self) -> anyhow::Result<Credentials> {
        let password = resolve("nats.password", self.password.as_ref(), self.password_file.as_deref())?;
        if self.user.is_some() != password.is_some() {
            bail!("nats.user and its password (nats.password or nats.password_file) go together: set both, or none");
        }
        if self.tls_certificate_file.is_some() != self.tls_key_file.is_some() {
            bail!("nats.tls_certificate_file and nats.tls_key_file go together: set both, or none");
        }
        Ok(Credentials {
            user: self.user.clone(),
            password,
            tls_ca_file: self.tls_ca_file.clone(),
            tls_certificate_file: self.tls_certificate_file.clone(),
            tls_key_file: self.tls_key_file.clone(),
        })
    }
}

/// PostgreSQL: the read models, and domain events with `event_store = "postgres"`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user@host:port/database`, with `?sslmode=verify-full&sslrootcert=FILE` for TLS; the local stack's own
    /// when absent.
    pub url: Option<Secret>,
}

/// Redis: the latest values, rate limits and presence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `redis://host:port/`, or `rediss://host:port/` with TLS; the local stack's own when absent.
    pub url: Option<Secret>,
    /// CA certificates that a `rediss://` server's certificate is verified against (PEM); the system's when absent.
    pub tls_ca_file: Option<PathBuf>,
    /// Prefix of every key.
    pub key_prefix: String,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, tls_ca_file: None, key_prefix: "argusiq:".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_pair_is_refused() {
        let refusal = |change: fn(&mut Nats)| {
            let mut nats = Nats::default();
            change(&mut nats);
            nats.credentials().unwrap_err().to_string()
        };
        let user = "nats.user and its password (nats.password or nats.password_file) go together: set both, or none";
        assert_eq!(refusal(|nats| nats.user = Some("api".to_owned())), user);
        assert_eq!(refusal(|nats| nats.password = Some(Secret("secret".to_owned()))), user);
        let tls = "nats.tls_certificate_file and nats.tls_key_file go together: set both, or none";
        assert_eq!(refusal(|nats| nats.tls_key_file = Some("key.pem".into())), tls);
    }
}
