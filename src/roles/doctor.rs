//! `argusiq doctor`: the effective configuration, and whether everything it names is there. What does not live here:
//! repairing it.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::timeout;

use crate::environment::{self, Servers};
use crate::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(20);

/// Prints the configuration and one line for each check; an error when one failed.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    println!("{settings:#?}\n");
    let mut failed = 0;
    let mut tell = |what: &str, outcome: anyhow::Result<String>| match outcome {
        Ok(detail) => println!("ok    {what}: {detail}"),
        Err(error) => {
            failed += 1;
            println!("FAIL  {what}: {error:#}");
        }
    };
    tell("data folder", environment::make_data_dir(&settings).map(|()| settings.data_dir.display().to_string()));
    tell("keys", environment::init_keys(&settings).map(|_| "root authority and server certificate".to_owned()));
    match Servers::from_settings(&settings) {
        Ok(servers) => {
            tell("log and streams", log(&settings, &servers).await);
            tell("event store", event_store(&settings, &servers).await);
            tell("read models", reader(&settings, &servers).await);
        }
        Err(_) => println!("--    servers: none configured; `argusiq up` brings its own"),
    }
    if failed > 0 { bail!("{failed} checks failed") } else { Ok(()) }
}

async fn log(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    timeout(PATIENCE, environment::open_log(settings, servers)).await.context("no answer")??;
    Ok(format!("{} has every stream as declared", servers.nats))
}

async fn event_store(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    let chosen = environment::event_store(settings, servers).kept();
    let log = timeout(PATIENCE, environment::open_log(settings, servers)).await.context("no answer")??;
    match log.events_kept_in().await? {
        None => Ok(format!("{chosen}, from the first start on")),
        Some(kept) if kept == chosen => Ok(format!("{chosen}, as since the first start")),
        Some(kept) => Err(eventlog::store::ChoiceError::Other { kept, chosen }.into()),
    }
}

async fn reader(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    let connect = projections::Reader::connect(&servers.postgres.0, &servers.redis.0, &settings.redis.key_prefix);
    let reader = timeout(PATIENCE, connect).await.context("no answer")??;
    reader.ping().await?;
    Ok("PostgreSQL and Redis answer".to_owned())
}
