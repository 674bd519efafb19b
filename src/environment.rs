//! What every role needs before it runs: keys, the log, the addresses of the servers. What does not live here: what a
//! role does with them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use certs::{Folder, MasterKey, ServerNames};
use chrono::{DateTime, Utc};
use eventlog::{Log, StreamSizes};

use crate::settings::{Secret, Settings};

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

/// The keys in the data folder.
pub struct Keys {
    /// Root authority, master key, the server's certificate.
    pub folder: Folder,
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

/// Opens the keys, or makes them where they are missing.
pub fn init_keys(settings: &Settings) -> anyhow::Result<Keys> {
    let names = ServerNames::parse(&settings.mqtt.server_names).context("mqtt.server_names")?;
    let made = certs::init_folder(&pki_dir(settings), names.iter(), master_key()?, clock()())?;
    if let Some(reason) = made.server_issued {
        tracing::info!(reason, "issued the server's certificate");
    }
    Ok(Keys { folder: made.folder })
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

/// The administrator's password: from the configuration, else the one that was generated at the first start.
pub fn admin_password(settings: &Settings) -> anyhow::Result<Secret> {
    if let Some(password) = &settings.admin_password {
        return Ok(password.clone());
    }
    let path = settings.data_dir.join("admin-password");
    if path.exists() {
        return Ok(Secret(fs::read_to_string(&path)?.trim().to_owned()));
    }
    let password = generated_password();
    write_private(&path, &password)?;
    Ok(Secret(password))
}

fn generated_password() -> String {
    use rand::Rng;
    use rand::distr::Alphanumeric;
    rand::rng().sample_iter(Alphanumeric).take(20).map(char::from).collect()
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(writeln!(file, "{text}")?)
}

fn pki_dir(settings: &Settings) -> std::path::PathBuf {
    settings.data_dir.join("pki")
}

fn master_key() -> anyhow::Result<Option<MasterKey>> {
    match std::env::var_os(MASTER_KEY_VARIABLE) {
        Some(_) => Ok(Some(MasterKey::from_environment(MASTER_KEY_VARIABLE)?)),
        None => Ok(None),
    }
}
