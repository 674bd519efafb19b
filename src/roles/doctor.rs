//! `argusiq doctor`: prints the effective configuration and checks everything that it names. It repairs nothing.

use std::time::Duration;

use anyhow::{Context, bail};
use eventlog::Log;
use eventlog::members::Entry;
use tokio::time::timeout;

use crate::connections::{self, Servers, Streams};
use crate::settings::Settings;
use crate::{environment, keys};

/// Longest wait for one server.
const DEADLINE: Duration = Duration::from_secs(20);

/// Prints the configuration and one line per check. Errors when a check failed.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    println!("{settings:#?}\n");
    let mut failed = 0;
    let mut report = |what: &str, outcome: anyhow::Result<String>| match outcome {
        Ok(detail) => println!("ok    {what}: {detail}"),
        Err(error) => {
            failed += 1;
            println!("FAIL  {what}: {error:#}");
        }
    };
    report("data folder", environment::create_data_dir(&settings).map(|()| settings.data_dir.display().to_string()));
    report("keys", keys::init(&settings).map(|_| "root CA and server certificate".to_owned()));
    match Servers::from_settings(&settings) {
        Ok(servers) => {
            report("log and streams", log(&settings, &servers).await);
            report("event store", event_store(&settings, &servers).await);
            report("read models", reader(&settings, &servers).await);
        }
        Err(_) => println!("--    servers: none configured; `argusiq up` starts its own"),
    }
    if failed > 0 { bail!("{failed} checks failed") } else { Ok(()) }
}

async fn log(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    let log =
        timeout(DEADLINE, connections::open_log(settings, servers, Streams::Check)).await.context("no answer")??;
    let streams = format!("{} has every stream as declared", servers.nats);
    Ok(members(&log).await?.iter().fold(streams, |lines, member| format!("{lines}\n      {member}")))
}

/// Returns one line per live process that has a name.
async fn members(log: &Log) -> anyhow::Result<Vec<String>> {
    let members = eventlog::members::list(log).await.context("cannot list the live processes")?;
    let line = |(name, entry): (String, Entry)| {
        let kinds: Vec<_> = entry.kinds.into_iter().collect();
        let shards: Vec<_> = entry.shards.iter().map(u16::to_string).collect();
        let shards = if shards.is_empty() { String::new() } else { format!(", raw shards {}", shards.join(" ")) };
        format!("live: {name} {} ({}){shards}", entry.version, kinds.join(" "))
    };
    Ok(members.into_iter().map(line).collect())
}

async fn event_store(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    let chosen = connections::event_store(settings, servers).kind();
    let log = timeout(DEADLINE, connections::connect_log(settings, servers)).await.context("no answer")??;
    match log.journal_kind().await? {
        None => Ok(format!("{chosen}, to be fixed at the first start")),
        Some(kept) if kept == chosen => Ok(format!("{chosen}, unchanged since the first start")),
        Some(kept) => Err(eventlog::store::JournalChoiceError::Other { kept, chosen }.into()),
    }
}

async fn reader(settings: &Settings, servers: &Servers) -> anyhow::Result<String> {
    let redis = connections::redis(settings, servers);
    let connect = projections::Reader::connect(&servers.postgres.0, &redis);
    let reader = timeout(DEADLINE, connect).await.context("no answer")??;
    reader.ping().await?;
    Ok("PostgreSQL and Redis answer".to_owned())
}
