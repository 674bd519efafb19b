//! Connects to the servers: the log, PostgreSQL and Redis.

use std::time::Duration;

use anyhow::bail;
use commands::EventStore;
use eventlog::{Log, StreamSizes};
use projections::RedisServer;
use tokio::time::{Instant, sleep};

use crate::settings::{EventStoreKind, Secret, Settings};

/// How long a role waits at start-up for the log's streams: a NATS cluster that has just started has no leaders yet.
const STREAMS_DEADLINE: Duration = Duration::from_secs(30);
const RETRY_EVERY: Duration = Duration::from_millis(500);

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
    /// Returns the configured addresses. Errors name every address that is missing.
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
            _ => bail!("set {}, or run `argusiq up`, which starts servers of its own", missing.join(", ")),
        }
    }
}

/// What to do with the log's streams at start-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Create missing streams and buckets. Only the NATS user of `migrate` (and of `up`) has the permission.
    Declare,
    /// Compare them with their declaration.
    Check,
}

/// Connects to the log, and declares or checks its streams.
pub async fn open_log(settings: &Settings, servers: &Servers, streams: Streams) -> anyhow::Result<Log> {
    let log = connect_log(settings, servers).await?;
    let deadline = Instant::now() + STREAMS_DEADLINE;
    loop {
        let outcome = match streams {
            Streams::Declare => log.declare_streams().await,
            Streams::Check => log.check_streams().await,
        };
        match outcome {
            Err(eventlog::streams::Error::Read { .. } | eventlog::streams::Error::Create { .. })
                if Instant::now() < deadline =>
            {
                sleep(RETRY_EVERY).await;
            }
            outcome => return outcome.map(|()| log).map_err(Into::into),
        }
    }
}

/// Connects to the log without looking at its streams.
pub async fn connect_log(settings: &Settings, servers: &Servers) -> anyhow::Result<Log> {
    let mut log = eventlog::Settings::new(&servers.nats)
        .with_prefix(&settings.nats.stream_prefix)
        .with_sizes(StreamSizes::default());
    log.replicas = settings.nats.replicas;
    log.client_name = format!("argusiq {}", settings.stable_name());
    log.credentials = settings.nats.credentials()?;
    Ok(Log::connect(log).await?)
}

/// Returns the configured Redis server.
pub fn redis(settings: &Settings, servers: &Servers) -> RedisServer {
    RedisServer {
        url: servers.redis.0.clone(),
        tls_ca_file: settings.redis.tls_ca_file.clone(),
        key_prefix: settings.redis.key_prefix.clone(),
    }
}

/// Returns the configured event store.
pub fn event_store(settings: &Settings, servers: &Servers) -> EventStore {
    match settings.event_store {
        EventStoreKind::JetStream => EventStore::JetStream,
        EventStoreKind::Postgres => EventStore::Postgres { database_url: servers.postgres.0.clone() },
    }
}
