//! The effective configuration: defaults, `argusiq.toml`, environment `ARGUSIQ_…`, command line flags, in that order.
//! One file for each section; a section also converts itself into the configuration of the crate that it configures.

mod audit;
mod bridge;
mod emqx;
mod limits;
mod listeners;
mod process;
mod secret;
mod servers;
mod smtp;
mod webhooks;

use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::audit::Audit;
use self::bridge::Bridge;
use self::emqx::Emqx;
use self::limits::Limits;
pub use self::listeners::socket_address;
use self::listeners::{Enroll, Http, IngestHttp, Mqtt, Probe};
use self::process::Process;
pub use self::secret::Secret;
use self::servers::{Nats, Postgres, Redis};
use self::smtp::Smtp;
use self::webhooks::WebhookSettings;

/// All settings. In the environment a nested key is written with two underscores (`ARGUSIQ_NATS__URL`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of keys, logs and the local stack's data.
    pub data_dir: PathBuf,
    /// First of a block of ports; when absent, HTTP is 3000 and MQTT 8883.
    pub port_base: Option<u16>,
    /// Name of this process, unique among the live processes of its role: letters, digits, `-` and `_`. When absent,
    /// `ingest` uses the host name and `process` the host name with a random suffix.
    pub instance: Option<String>,
    /// Log filter in the syntax of `tracing`; when absent, `info` for a single role and `warn` for `up`.
    pub log: Option<String>,
    /// Whether to log JSON lines instead of text.
    pub log_json: bool,
    /// E-mail address of the first administrator.
    pub admin_email: String,
    /// Password of the first administrator; when absent, generated and printed once.
    pub admin_password: Option<Secret>,
    /// Where domain events are stored. An installation cannot change it after its first start.
    pub event_store: EventStoreKind,
    /// The HTTP API and the page.
    pub http: Http,
    /// Rate limits of the HTTP API.
    pub limits: Limits,
    /// The MQTT edge.
    pub mqtt: Mqtt,
    /// Telemetry ingest over HTTPS.
    pub ingest_http: IngestHttp,
    /// Enrolment of devices over HTTPS.
    pub enroll: Enroll,
    /// The SMTP server.
    pub smtp: Smtp,
    /// Webhooks.
    pub webhooks: WebhookSettings,
    /// The stages.
    pub process: Process,
    /// An EMQX broker beside the platform.
    pub emqx: Emqx,
    /// The broker that `argusiq ingest --bridge` subscribes to.
    pub bridge: Bridge,
    /// Tamper evidence of the log.
    pub audit: Audit,
    /// The log.
    pub nats: Nats,
    /// The read models.
    pub postgres: Postgres,
    /// The latest values and counters.
    pub redis: Redis,
    /// Probes of the roles without an HTTP API.
    pub probe: Probe,
}

/// Where domain events are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventStoreKind {
    /// In JetStream.
    #[default]
    JetStream,
    /// In the database of `postgres.url`, from which they are relayed to JetStream.
    Postgres,
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
            event_store: EventStoreKind::default(),
            http: Http::default(),
            limits: Limits::default(),
            mqtt: Mqtt::default(),
            ingest_http: IngestHttp::default(),
            enroll: Enroll::default(),
            smtp: Smtp::default(),
            webhooks: WebhookSettings::default(),
            process: Process::default(),
            emqx: Emqx::default(),
            bridge: Bridge::default(),
            audit: Audit::default(),
            nats: Nats::default(),
            postgres: Postgres::default(),
            redis: Redis::default(),
            probe: Probe::default(),
        }
    }
}

/// Variables with the prefix `ARGUSIQ_` that other code reads: the simulator, the stack, the master key.
const NOT_SETTINGS: [&str; 6] = ["api", "master_key", "mqtt", "next_master_key", "test_stack", "tools_dir"];

/// Settings that the environment holds as literal text. figment parses values: a password of digits would become a number.
const LITERAL: [&str; 7] = [
    "admin_password",
    "bridge__password",
    "emqx__api_key",
    "emqx__api_secret",
    "emqx__hook_secret",
    "nats__password",
    "smtp__password",
];

/// Reads the [`LITERAL`] settings from the environment.
fn literals() -> Map<String, Value> {
    let mut found = Map::new();
    for name in LITERAL {
        let Ok(value) = std::env::var(format!("ARGUSIQ_{}", name.to_uppercase())) else { continue };
        match name.split_once("__") {
            None => drop(found.insert(name.to_owned(), value.into())),
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
    /// Reads the configuration; `flags` are the values given on the command line.
    pub fn load(flags: impl Serialize) -> Result<Self, Box<figment::Error>> {
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file("argusiq.toml"))
            .merge(Env::prefixed("ARGUSIQ_").ignore(&NOT_SETTINGS).ignore(&LITERAL).split("__"))
            .merge(Serialized::globals(literals()))
            .merge(Serialized::globals(flags))
            .extract()
            .map_err(Box::new)
    }

    /// Returns a name that survives a restart: `instance`, or the host name. An ingest process needs one because, at its
    /// start, it first ends the sessions that it reported under that name before.
    pub fn stable_name(&self) -> String {
        self.instance.clone().unwrap_or_else(host_name)
    }

    /// Returns a name for a process that stores nothing under it: `instance`, or the host name with a random suffix.
    pub fn ephemeral_name(&self) -> String {
        self.instance.clone().unwrap_or_else(|| format!("{}-{:08x}", host_name(), rand::random::<u32>()))
    }
}

/// Returns the host name, reduced to the characters that a process name may have.
fn host_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    process_name(host.trim())
}

fn process_name(host: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = host.chars().map(allowed).collect();
    if name.is_empty() { "main".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_name_is_used_as_it_is() {
        let set = Settings { instance: Some("north".into()), ..Settings::default() };
        assert_eq!((set.stable_name(), set.ephemeral_name()), ("north".into(), "north".into()));
    }

    #[test]
    fn a_host_name_is_reduced_to_the_allowed_characters() {
        assert_eq!(process_name("edge-1.example.org"), "edge-1-example-org");
        assert_eq!(process_name(""), "main");
    }

    #[test]
    fn a_stable_name_stays_and_an_ephemeral_one_is_new_each_time() {
        let settings = Settings::default();
        assert_eq!(settings.stable_name(), settings.stable_name());
        assert_ne!(settings.ephemeral_name(), settings.ephemeral_name());
    }
}
