//! The effective configuration: defaults, `argusiq.toml`, environment `ARGUSIQ_…`, flags, in that order. What does not
//! live here: what each role makes of it.

use std::fmt;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bridge::Bridge;
use crate::limits::Limits;
use crate::mail::Smtp;
use crate::sealing::Sealing;
use crate::stages::StageSettings;
use crate::webhooks::WebhookSettings;

/// Text that is never printed: passwords and keys.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(not set)" } else { "(set, not shown)" })
    }
}

/// Everything that can be configured. In the environment a nested key is written with two underscores
/// (`ARGUSIQ_NATS__URL`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where keys, logs and the local stack's data live.
    pub data_dir: PathBuf,
    /// First of a block of ports; without it HTTP is 3000 and MQTT 8883.
    pub port_base: Option<u16>,
    /// Name of this process, which no other process of its role has: letters, digits, `-` and `_`. When absent, a door
    /// has the name of its host, which it keeps, and a process of the stages the same with something random behind it.
    pub instance: Option<String>,
    /// Log filter, as `tracing` understands it; `info` for a role of its own and `warn` for `up` when absent.
    pub log: Option<String>,
    /// Log as JSON lines rather than text.
    pub log_json: bool,
    /// E-mail address of the first administrator.
    pub admin_email: String,
    /// Password of the first administrator; generated and printed once when absent.
    pub admin_password: Option<Secret>,
    /// Where domain events are kept; an installation keeps the choice it began with.
    pub event_store: EventStoreKind,
    /// The HTTP API.
    pub http: Http,
    /// How much is too much for it.
    pub limits: Limits,
    /// The devices' door.
    pub mqtt: Mqtt,
    /// The devices' door over HTTP.
    pub ingest_http: IngestHttp,
    /// The door for enrolment, beside the API.
    pub enroll: Enroll,
    /// Where mail to people goes out.
    pub smtp: Smtp,
    /// Where webhooks may go.
    pub webhooks: WebhookSettings,
    /// What the stages take.
    pub process: StageSettings,
    /// An EMQX broker beside the platform.
    pub emqx: Emqx,
    /// The broker that `argusiq ingest --bridge` reads.
    pub bridge: Bridge,
    /// Proof of what the log said.
    pub audit: Sealing,
    /// The log.
    pub nats: Nats,
    /// The read models.
    pub postgres: Postgres,
    /// The newest values.
    pub redis: Redis,
    /// Where a role without HTTP of its own answers whether it is well.
    pub probe: Probe,
}

/// Where `ingest`, `process` and `project` answer `/health`, `/ready` and `/metrics`. The `api` role does so on its own
/// port, for all roles of its process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Address to listen on.
    pub listen: String,
    /// Port; without it nothing listens.
    pub port: Option<u16>,
}

/// Where domain events are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventStoreKind {
    /// In JetStream.
    #[default]
    JetStream,
    /// In the database of `postgres.url`, from where they are relayed to JetStream.
    Postgres,
}

/// The HTTP API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address to listen on; the port follows `port_base` when 0.
    pub listen: String,
    /// Port, overriding `port_base`.
    pub port: Option<u16>,
    /// Where the API is reached from outside, `https://host`; certificates name their revocation list there.
    pub public_url: Option<String>,
    /// Whether browsers send the refresh cookie over HTTPS alone (and to `localhost`).
    pub secure_cookies: bool,
    /// How many reverse proxies in front name the client in `X-Forwarded-For`.
    pub trusted_proxies: u8,
}

/// The devices' door.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Address to listen on.
    pub listen: String,
    /// Port, overriding `port_base`.
    pub port: Option<u16>,
    /// Names and addresses in the server's certificate.
    pub server_names: Vec<String>,
    /// Most connections at a time.
    pub max_connections: usize,
    /// Messages a second that one device may send.
    pub max_device_rate: u32,
}

/// The devices' door over HTTP; its certificate and its limits are those of `mqtt`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestHttp {
    /// Whether it is open.
    pub enabled: bool,
    /// Address to listen on.
    pub listen: String,
    /// Port, overriding `port_base`.
    pub port: Option<u16>,
}

/// The door where devices get their certificates, with client certificates where they have one; the `api` role opens it,
/// with the server certificate of `mqtt`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enroll {
    /// Whether it is open.
    pub enabled: bool,
    /// Address to listen on.
    pub listen: String,
    /// Port, overriding `port_base`.
    pub port: Option<u16>,
}

/// An EMQX broker beside the platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emqx {
    /// Address where the broker asks whether a client may connect.
    pub hook_listen: String,
    /// Port of that, overriding `port_base`.
    pub hook_port: Option<u16>,
    /// What the broker sends as `Authorization: Bearer …`; without it nothing listens.
    pub hook_secret: Option<Secret>,
    /// A file with that instead.
    pub hook_secret_file: Option<PathBuf>,
    /// `http://host:port` of the broker's management API, where sessions are ended; without it none is.
    pub api_url: Option<String>,
    /// The API key.
    pub api_key: Option<String>,
    /// The key's secret.
    pub api_secret: Option<Secret>,
    /// A file with that instead.
    pub api_secret_file: Option<PathBuf>,
}

/// The log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://host:port`, several separated by commas; the local stack's own when absent.
    pub url: Option<String>,
    /// User name; with it goes a password.
    pub user: Option<String>,
    /// Password of the user.
    pub password: Option<Secret>,
    /// File that holds the password, in place of `password`; what a line end adds is not part of it.
    pub password_file: Option<PathBuf>,
    /// Certificates of the authorities that the servers' certificates come from; with it, TLS is required.
    pub tls_ca_file: Option<PathBuf>,
    /// Own certificate, for servers that ask for one.
    pub tls_certificate_file: Option<PathBuf>,
    /// Private key of `tls_certificate_file`.
    pub tls_key_file: Option<PathBuf>,
    /// In front of every stream and subject, so that several installations can share a server.
    pub stream_prefix: String,
    /// Copies of each stream.
    pub replicas: usize,
}

/// The read models.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user@host:port/database`, with `?sslmode=verify-full&sslrootcert=FILE` for TLS; the local stack's own
    /// when absent.
    pub url: Option<Secret>,
}

/// The newest values.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `redis://host:port/`, or `rediss://host:port/` with TLS; the local stack's own when absent.
    pub url: Option<Secret>,
    /// Certificates of the authorities that a `rediss://` server's certificate comes from; the system's when absent.
    pub tls_ca_file: Option<PathBuf>,
    /// In front of every key.
    pub key_prefix: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: ".argusiq".into(),
            port_base: None,
            instance: None,
            log: None,
            log_json: false,
            admin_email: "admin@argusiq.local".to_owned(),
            admin_password: None,
            event_store: EventStoreKind::JetStream,
            http: Http {
                listen: "127.0.0.1".to_owned(),
                port: None,
                public_url: None,
                secure_cookies: true,
                trusted_proxies: 0,
            },
            limits: Limits::default(),
            mqtt: Mqtt {
                listen: "127.0.0.1".to_owned(),
                port: None,
                server_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
                max_connections: 20_000,
                max_device_rate: 200,
            },
            bridge: Bridge::default(),
            ingest_http: IngestHttp { enabled: true, listen: "127.0.0.1".to_owned(), port: None },
            enroll: Enroll { enabled: true, listen: "127.0.0.1".to_owned(), port: None },
            smtp: Smtp::default(),
            webhooks: WebhookSettings::default(),
            process: StageSettings::default(),
            emqx: Emqx {
                hook_listen: "127.0.0.1".to_owned(),
                hook_port: None,
                hook_secret: None,
                hook_secret_file: None,
                api_url: None,
                api_key: None,
                api_secret: None,
                api_secret_file: None,
            },
            audit: Sealing::default(),
            nats: Nats { replicas: 1, ..Nats::default() },
            postgres: Postgres { url: None },
            redis: Redis { url: None, tls_ca_file: None, key_prefix: "argusiq:".to_owned() },
            probe: Probe { listen: "127.0.0.1".to_owned(), port: None },
        }
    }
}

/// Variables of the environment that are read elsewhere, as they stand.
const ELSEWHERE: [&str; 6] = ["api", "master_key", "mqtt", "next_master_key", "test_stack", "tools_dir"];

/// Settings that are taken from the environment as they stand.
const SECRETS: [&str; 7] = [
    "admin_password",
    "bridge__password",
    "emqx__api_key",
    "emqx__api_secret",
    "emqx__hook_secret",
    "nats__password",
    "smtp__password",
];

/// The secrets of the environment, letter by letter: read like other settings, one of digits alone would be a number.
fn secrets() -> Map<String, Value> {
    let mut found = Map::new();
    for secret in SECRETS {
        let Ok(value) = std::env::var(format!("ARGUSIQ_{}", secret.to_uppercase())) else { continue };
        match secret.split_once("__") {
            None => drop(found.insert(secret.to_owned(), value.into())),
            Some((section, key)) => {
                if let Value::Object(section) = found.entry(section).or_insert_with(|| Map::new().into()) {
                    section.insert(key.to_owned(), value.into());
                }
            }
        }
    }
    found
}

impl Settings {
    /// Returns the name that a door has: the one that is set, or the host's. It must outlast the process, because the
    /// first thing a door tells is that what it knew under its name is over.
    pub fn lasting_name(&self) -> String {
        self.instance.clone().unwrap_or_else(host)
    }

    /// Returns the name of a process that keeps nothing under it: the one that is set, or the host's and a random end.
    pub fn passing_name(&self) -> String {
        self.instance.clone().unwrap_or_else(|| format!("{}-{:08x}", host(), rand::random::<u32>()))
    }

    /// Reads the configuration; `flags` are what the command line set.
    pub fn load(flags: impl Serialize) -> Result<Self, Box<figment::Error>> {
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file("argusiq.toml"))
            .merge(Env::prefixed("ARGUSIQ_").ignore(&ELSEWHERE).ignore(&SECRETS).split("__"))
            .merge(Serialized::globals(secrets()))
            .merge(Serialized::globals(flags))
            .extract()
            .map_err(Box::new)
    }
}

/// The host's name, of the characters that names of processes take.
fn host() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name_of(host.trim())
}

fn name_of(host: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = host.chars().map(allowed).collect();
    if name.is_empty() { "main".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_set_is_kept_and_one_of_the_host_is_made_fit() {
        let set = Settings { instance: Some("north".into()), ..Settings::default() };
        assert_eq!((set.lasting_name(), set.passing_name()), ("north".into(), "north".into()));
        assert_eq!(name_of("edge-1.example.org"), "edge-1-example-org");
        assert_eq!(name_of(""), "main");
    }

    #[test]
    fn a_lasting_name_stays_and_a_passing_one_is_new_each_time() {
        let settings = Settings::default();
        assert_eq!(settings.lasting_name(), settings.lasting_name());
        assert_ne!(settings.passing_name(), settings.passing_name());
    }
}
