//! What every role needs before it runs: keys, the log, the addresses of the servers. What does not live here: what a
//! role does with them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use certs::{InitializedKeyFolder, KeyFolder, MasterKey, ServerFiles, ServerNames};
use chrono::{DateTime, Utc};
use commands::EventStore;
use eventlog::{Credentials, Log, StreamSizes};
use projections::RedisServer;
use tokio::time::{Instant, sleep};

use crate::settings::{EventStoreKind, Secret, Settings};

/// Environment variable that holds the master key instead of the file in the data folder.
const MASTER_KEY_VARIABLE: &str = "ARGUSIQ_MASTER_KEY";
/// Environment variable that holds the one that is to follow.
const NEXT_MASTER_KEY_VARIABLE: &str = "ARGUSIQ_NEXT_MASTER_KEY";

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

/// Returns where the API is reached from outside, as it is set.
pub fn public_url(settings: &Settings) -> anyhow::Result<Option<String>> {
    let Some(url) = &settings.http.public_url else { return Ok(None) };
    let url = url.trim_end_matches('/');
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    if rest.is_empty() || !url.is_ascii() || rest.contains([' ', '?', '#', '@']) {
        bail!("http.public_url {url:?} is no address of the form http://host or https://host");
    }
    Ok(Some(url.to_owned()))
}

/// Makes the data folder; says what to do where that is not possible.
pub fn make_data_dir(settings: &Settings) -> anyhow::Result<()> {
    fs::create_dir_all(&settings.data_dir).with_context(|| {
        format!("{} cannot be made; choose another folder with --data-dir", settings.data_dir.display())
    })
}

/// Opens the keys in the data folder, or makes them where they are missing.
pub fn init_keys(settings: &Settings) -> anyhow::Result<InitializedKeyFolder> {
    let names = ServerNames::parse(&settings.mqtt.server_names).context("mqtt.server_names")?;
    let made = certs::init_key_folder(&pki_dir(settings), names.iter(), master_key()?, clock()())?;
    if let Some(reason) = made.server_issued {
        tracing::info!(reason, "issued the server's certificate");
    }
    Ok(made)
}

/// Opens the keys that `argusiq ca init` made, and changes nothing.
pub fn open_keys(settings: &Settings) -> anyhow::Result<KeyFolder> {
    certs::open_key_folder(&pki_dir(settings), master_key()?).with_context(|| how_to_get_keys(settings))
}

/// Opens what a listener for devices needs of them: no key that signs, nor the master key.
pub fn open_server_files(settings: &Settings) -> anyhow::Result<ServerFiles> {
    certs::read_server_files(&pki_dir(settings)).with_context(|| how_to_get_keys(settings))
}

fn how_to_get_keys(settings: &Settings) -> String {
    format!(
        "no keys in {}: make them once with `argusiq ca init`, and give them to each role",
        pki_dir(settings).display()
    )
}

/// Whether the streams are created where they are missing, which only `migrate` (and `up`) may, or only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Created where they are missing.
    Declare,
    /// Compared with what is declared.
    Check,
}

/// How long a role waits for the log to answer about its streams: a cluster that has just started has no leaders yet.
const STREAMS_WITHIN: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Connects to the log and declares its streams, or checks that they are as declared.
pub async fn open_log(settings: &Settings, servers: &Servers, streams: Streams) -> anyhow::Result<Log> {
    let log = connect_log(settings, servers).await?;
    let deadline = Instant::now() + STREAMS_WITHIN;
    loop {
        let outcome = match streams {
            Streams::Declare => log.declare_streams().await,
            Streams::Check => log.check_streams().await,
        };
        match outcome {
            Err(eventlog::streams::Error::Read { .. } | eventlog::streams::Error::Create { .. })
                if Instant::now() < deadline =>
            {
                sleep(ASK_AGAIN).await;
            }
            outcome => return outcome.map(|()| log).map_err(Into::into),
        }
    }
}

/// Connects to the log.
pub async fn connect_log(settings: &Settings, servers: &Servers) -> anyhow::Result<Log> {
    let mut log = eventlog::Settings::new(&servers.nats)
        .with_prefix(&settings.nats.stream_prefix)
        .with_sizes(StreamSizes::default());
    log.replicas = settings.nats.replicas;
    log.client_name = format!("argusiq {}", settings.lasting_name());
    log.credentials = credentials(settings)?;
    Ok(Log::connect(log).await?)
}

fn credentials(settings: &Settings) -> anyhow::Result<Credentials> {
    let nats = &settings.nats;
    let password = match (&nats.password, &nats.password_file) {
        (Some(_), Some(_)) => bail!("set nats.password or nats.password_file, not both"),
        (Some(password), None) => Some(password.0.clone()),
        (None, Some(file)) => {
            let read = fs::read_to_string(file);
            let text = read.with_context(|| format!("nats.password_file {} cannot be read", file.display()))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => None,
    };
    if nats.user.is_some() != password.is_some() {
        bail!("nats.user and its password (nats.password or nats.password_file) go together: set both, or none");
    }
    if nats.tls_certificate_file.is_some() != nats.tls_key_file.is_some() {
        bail!("nats.tls_certificate_file and nats.tls_key_file go together: set both, or none");
    }
    Ok(Credentials {
        user: nats.user.clone(),
        password,
        tls_ca_file: nats.tls_ca_file.clone(),
        tls_certificate_file: nats.tls_certificate_file.clone(),
        tls_key_file: nats.tls_key_file.clone(),
    })
}

/// Redis, by the configuration.
pub fn redis(settings: &Settings, servers: &Servers) -> RedisServer {
    RedisServer {
        url: servers.redis.0.clone(),
        tls_ca_file: settings.redis.tls_ca_file.clone(),
        key_prefix: settings.redis.key_prefix.clone(),
    }
}

/// Where events are kept, by the configuration.
pub fn event_store(settings: &Settings, servers: &Servers) -> EventStore {
    match settings.event_store {
        EventStoreKind::JetStream => EventStore::JetStream,
        EventStoreKind::Postgres => EventStore::Postgres { database_url: servers.postgres.0.clone() },
    }
}

pub(crate) fn pki_dir(settings: &Settings) -> PathBuf {
    settings.data_dir.join("pki")
}

/// The present master key and the one that is to follow: both from the environment, or both in the data folder.
pub fn master_keys(settings: &Settings) -> anyhow::Result<(MasterKey, MasterKey)> {
    let (dir, next) = (pki_dir(settings), from_environment(NEXT_MASTER_KEY_VARIABLE)?);
    match (master_key()?, next) {
        (Some(present), Some(next)) => Ok((present, next)),
        (None, None) => {
            let present = MasterKey::from_file(&dir.join("master.key")).with_context(|| how_to_get_keys(settings))?;
            Ok((present, certs::master_key_rotation::next_master_key(&dir)?))
        }
        (Some(_), None) => bail!(
            "the master key comes from {MASTER_KEY_VARIABLE}: set {NEXT_MASTER_KEY_VARIABLE} to the one that is to follow"
        ),
        (None, Some(_)) => bail!(
            "{NEXT_MASTER_KEY_VARIABLE} is set, but the master key is a file: unset it, and the next key is made beside it"
        ),
    }
}

fn master_key() -> anyhow::Result<Option<MasterKey>> {
    from_environment(MASTER_KEY_VARIABLE)
}

fn from_environment(variable: &str) -> anyhow::Result<Option<MasterKey>> {
    match std::env::var_os(variable) {
        Some(_) => Ok(Some(MasterKey::from_environment(variable)?)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_from_outside_is_an_address_alone() {
        let of = |url: &str| {
            let mut settings = Settings::default();
            settings.http.public_url = Some(url.to_owned());
            public_url(&settings).map_err(|error| error.to_string())
        };
        assert_eq!(of("https://iot.example/"), Ok(Some("https://iot.example".to_owned())));
        for wrong in ["", "iot.example", "ftp://iot.example", "http://", "https://me:secret@iot.example", "http://a?b"]
        {
            assert!(of(wrong).unwrap_err().starts_with("http.public_url "), "{wrong}");
        }
        assert_eq!(public_url(&Settings::default()).unwrap(), None);
    }
}
