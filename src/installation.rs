//! Checks that the log, PostgreSQL and Redis belong to the same installation. Each stores the same random id, created once
//! by `migrate`; a process that connects to servers of two installations would mix their data.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use eventlog::Log;
use projections::installation::InstallationIds;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::connections::{Servers, redis};
use crate::settings::Settings;

/// How long a role waits at start-up for PostgreSQL and Redis.
const DEADLINE: Duration = Duration::from_secs(30);
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// A server's name for messages, and the id it stores.
type StoredId<'a> = (&'a str, Option<String>);

/// Compares the ids, and gives every server without an id the common one, or a new one if none has an id.
pub async fn ensure(settings: &Settings, servers: &Servers, log: &Log) -> anyhow::Result<()> {
    let stores = connect(settings, servers).await?;
    let ids = stored_ids(log, &stores).await?;
    let id = match common_id(&ids)? {
        Some(id) => id,
        None => log.ensure_installation(&new_id()).await?,
    };
    let in_log = log.ensure_installation(&id).await?;
    stores.set(&in_log).await?;
    // Read back: another `migrate` may have written a different id meanwhile.
    common_id(&stored_ids(log, &stores).await?).map(drop)
}

/// Compares the ids. The log and PostgreSQL must have one; Redis may have lost its data, which is rebuilt.
pub async fn check(settings: &Settings, servers: &Servers, log: &Log) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    let ids = loop {
        let read = timeout(DEADLINE, read_ids(settings, servers, log)).await;
        match read.unwrap_or_else(|_| Err(anyhow!("PostgreSQL or Redis did not answer within {DEADLINE:?}"))) {
            Ok(ids) => break ids,
            Err(error) if Instant::now() > deadline || is_refusal(&error) => return Err(error),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "waiting for PostgreSQL and Redis"),
        }
        sleep(RETRY_EVERY).await;
    };
    common_id(&ids)?;
    let missing: Vec<_> = ids.iter().take(2).filter(|(_, id)| id.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        bail!("{} has no installation yet: run `argusiq migrate`", missing.join(" and "))
    }
}

async fn read_ids<'a>(settings: &Settings, servers: &Servers, log: &Log) -> anyhow::Result<[StoredId<'a>; 3]> {
    stored_ids(log, &connect(settings, servers).await?).await
}

/// Tells whether the server refused, for example the password: retrying would not help.
fn is_refusal(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<projections::Error>()).any(projections::Error::is_refusal)
}

async fn connect(settings: &Settings, servers: &Servers) -> anyhow::Result<InstallationIds> {
    let connected = InstallationIds::connect(&servers.postgres.0, &redis(settings, servers)).await;
    connected.context("cannot read the installation id")
}

async fn stored_ids<'a>(log: &Log, stores: &InstallationIds) -> anyhow::Result<[StoredId<'a>; 3]> {
    let (postgres, redis) = stores.read().await.context("cannot read the installation id")?;
    Ok([("the log", log.installation().await?), ("PostgreSQL", postgres), ("Redis", redis)])
}

/// Returns the id of all servers that have one; `None` if none has. Errors when two ids differ.
fn common_id(ids: &[StoredId<'_>]) -> anyhow::Result<Option<String>> {
    let mut known = ids.iter().filter_map(|(name, id)| Some((*name, id.as_deref()?)));
    let Some((first, id)) = known.next() else { return Ok(None) };
    match known.find(|(_, other)| *other != id) {
        None => Ok(Some(id.to_owned())),
        Some((second, other)) => bail!(
            "two installations are mixed up: {first} belongs to {id}, {second} to {other}; check nats.url, postgres.url \
             and redis.url"
        ),
    }
}

#[allow(clippy::disallowed_methods, reason = "the random id of the installation is generated once, here")]
fn new_id() -> String {
    Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_ids_are_refused_with_the_names_of_both_servers() {
        let ids = [("the log", Some("1".to_owned())), ("PostgreSQL", None), ("Redis", Some("2".to_owned()))];
        let text = common_id(&ids).unwrap_err().to_string();
        assert!(text.contains("the log belongs to 1") && text.contains("Redis to 2"), "{text}");
    }

    #[test]
    fn servers_without_an_id_agree_with_every_other() {
        let ids = [("the log", Some("1".to_owned())), ("PostgreSQL", None)];
        assert_eq!(common_id(&ids).unwrap().as_deref(), Some("1"));
        assert_eq!(common_id(&[]).unwrap(), None);
    }
}
