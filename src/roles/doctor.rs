//! `argusiq doctor`: the effective configuration, and whether everything it names is there. What does not live here:
//! repairing it.

use std::time::Duration;

use anyhow::{Context, bail};
use eventlog::Log;
use eventlog::members::Entry;
use tokio::time::timeout;

use crate::environment::{self, Servers, Streams};
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
    let log =
        timeout(PATIENCE, environment::open_log(settings, servers, Streams::Check)).await.context("no answer")??;
    let told = format!("{} has every stream as declared", servers.nats);
    Ok(members(&log).await?.iter().fold(told, |told, member| format!("{told}\n      {member}")))
}

/// One line for each live process that has a name.
async fn members(log: &Log) -> anyhow::Result<Vec<String>> {
    let members = eventlog::members::list(log).await.context("the live processes are not known")?;
    let line = |(name, entry): (String, Entry)| {
        let kinds: Vec<_> = entry.kinds.into_iter().collect();
        let places: Vec<_> = entry.shards.iter().map(u16::to_string).collect();
        let places = if places.is_empty() { String::new() } else { format!(", raw shards {}", places.join(" ")) };
        format!("live: {name} {} ({}){places}", entry.version, kinds.join(" "))
    };
    Ok(members.into_iter().map(line).collect())
}

async fn event_store(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    let chosen = environment::event_store(settings, servers).kept();
    let log = timeout(PATIENCE, environment::connect_log(settings, servers)).await.context("no answer")??;
    match log.journal_kind().await? {
        None => Ok(format!("{chosen}, from the first start on")),
        Some(kept) if kept == chosen => Ok(format!("{chosen}, as since the first start")),
        Some(kept) => Err(eventlog::store::JournalChoiceError::Other { kept, chosen }.into()),
    }
}

async fn reader(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    let redis = environment::redis(settings, servers);
    let connect = projections::Reader::connect(&servers.postgres.0, &redis);
    let reader = timeout(PATIENCE, connect).await.context("no answer")??;
    reader.ping().await?;
    Ok("PostgreSQL and Redis answer".to_owned())
}
