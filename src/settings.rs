//! The effective configuration: defaults, `argusiq.toml`, environment `ARGUSIQ_…`, flags, in that order. What does not
//! live here: what each role makes of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

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
    /// Name of this process, which no other process of its role has; a restarted process keeps its name.
    pub instance: String,
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
    /// The devices' door.
    pub mqtt: Mqtt,
    /// The log.
    pub nats: Nats,
    /// The read models.
    pub postgres: Postgres,
    /// The newest values.
    pub redis: Redis,
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

/// The log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://host:port`; the local stack's own when absent.
    pub url: Option<String>,
    /// In front of every stream and subject, so that several installations can share a server.
    pub stream_prefix: String,
    /// Copies of each stream.
    pub replicas: usize,
}

/// The read models.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user@host:port/database`; the local stack's own when absent.
    pub url: Option<Secret>,
}

/// The newest values.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `redis://host:port/`; the local stack's own when absent.
    pub url: Option<Secret>,
    /// In front of every key.
    pub key_prefix: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: ".argusiq".into(),
            port_base: None,
            instance: "main".to_owned(),
            log: None,
            log_json: false,
            admin_email: "admin@argusiq.local".to_owned(),
            admin_password: None,
            event_store: EventStoreKind::JetStream,
            http: Http { listen: "127.0.0.1".to_owned(), port: None },
            mqtt: Mqtt {
                listen: "127.0.0.1".to_owned(),
                port: None,
                server_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
                max_connections: 20_000,
                max_device_rate: 200,
            },
            nats: Nats { url: None, stream_prefix: String::new(), replicas: 1 },
            postgres: Postgres { url: None },
            redis: Redis { url: None, key_prefix: "argusiq:".to_owned() },
        }
    }
}

/// Variables of the environment that are read elsewhere, as they stand.
const ELSEWHERE: [&str; 6] = ["admin_password", "api", "master_key", "mqtt", "test_stack", "tools_dir"];

/// The passwords of the environment, letter by letter: read like other settings, one of digits alone would be a number.
fn passwords() -> BTreeMap<&'static str, String> {
    std::env::var("ARGUSIQ_ADMIN_PASSWORD").ok().map(|password| ("admin_password", password)).into_iter().collect()
}

impl Settings {
    /// Reads the configuration; `flags` are what the command line set.
    pub fn load(flags: impl Serialize) -> Result<Self, Box<figment::Error>> {
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file("argusiq.toml"))
            .merge(Env::prefixed("ARGUSIQ_").ignore(&ELSEWHERE).split("__"))
            .merge(Serialized::globals(passwords()))
            .merge(Serialized::globals(flags))
            .extract()
            .map_err(Box::new)
    }
}
