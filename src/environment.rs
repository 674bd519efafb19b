//! What every role needs before it runs: keys, the log, the addresses of the servers. What does not live here: what a
//! role does with them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use certs::{Initialized, MasterKey, ServerNames};
use chrono::{DateTime, Utc};
use commands::EventStore;
use eventlog::{Log, StreamSizes};

use crate::settings::{EventStoreKind, Secret, Settings};

/// Environment variable that holds the master key instead of the file in the data folder.
const MASTER_KEY_VARIABLE: &str = "ARGUSIQ_MASTER_KEY";

/// The wall clock that roles are given.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Addresses of the servers.
#[derive(Clone, Debug)]
pub struct Servers {
    /// NATS.
    pub nats: String,
    /// PostgreSQL.
    pub postgres: Secret,
    /// Redis.
    pub redis: Secret,
}

impl Servers {
    /// Takes the addresses from the configuration; each one that is missing is named.
    pub fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        let missing: Vec<_> = [
            ("nats.url (ARGUSIQ_NATS__URL)", settings.nats.url.is_none()),
            ("postgres.url (ARGUSIQ_POSTGRES__URL)", settings.postgres.url.is_none()),
            ("redis.url (ARGUSIQ_REDIS__URL)", settings.redis.url.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        match (&settings.nats.url, &settings.postgres.url, &settings.redis.url) {
            (Some(nats), Some(postgres), Some(redis)) => {
                Ok(Self { nats: nats.clone(), postgres: postgres.clone(), redis: redis.clone() })
            }
            _ => bail!("set {}, or run `argusiq up`, which brings its own servers", missing.join(", ")),
        }
    }
}

/// The wall clock.
#[allow(clippy::disallowed_methods, reason = "this is the one place where roles get their clock")]
pub fn clock() -> Clock {
    Arc::new(Utc::now)
}

/// Makes the data folder; says what to do where that is not possible.
pub fn make_data_dir(settings: &Settings) -> anyhow::Result<()> {
    fs::create_dir_all(&settings.data_dir).with_context(|| {
        format!("{} cannot be made; choose another folder with --data-dir", settings.data_dir.display())
    })
}

/// Opens the keys in the data folder, or makes them where they are missing.
pub fn init_keys(settings: &Settings) -> anyhow::Result<Initialized> {
    let names = ServerNames::parse(&settings.mqtt.server_names).context("mqtt.server_names")?;
    let made = certs::init_folder(&pki_dir(settings), names.iter(), master_key()?, clock()())?;
    if let Some(reason) = made.server_issued {
        tracing::info!(reason, "issued the server's certificate");
    }
    Ok(made)
}

/// Connects to the log and declares its streams.
pub async fn open_log(settings: &Settings, servers: &Servers) -> anyhow::Result<Log> {
    let mut log = eventlog::Settings::new(&servers.nats)
        .with_prefix(&settings.nats.stream_prefix)
        .with_sizes(StreamSizes::default());
    log.replicas = settings.nats.replicas;
    let log = Log::connect(log).await?;
    log.declare_streams().await?;
    Ok(log)
}

/// Where events are kept, by the configuration.
pub fn event_store(settings: &Settings, servers: &Servers) -> EventStore {
    match settings.event_store {
        EventStoreKind::JetStream => EventStore::JetStream,
        EventStoreKind::Postgres => EventStore::Postgres { database_url: servers.postgres.0.clone() },
    }
}

fn pki_dir(settings: &Settings) -> PathBuf {
    settings.data_dir.join("pki")
}

fn master_key() -> anyhow::Result<Option<MasterKey>> {
    match std::env::var_os(MASTER_KEY_VARIABLE) {
        Some(_) => Ok(Some(MasterKey::from_environment(MASTER_KEY_VARIABLE)?)),
        None => Ok(None),
    }
}
