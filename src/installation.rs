//! Whether log, PostgreSQL and Redis belong to one installation: each holds the same random id, made once by `migrate`.
//! Servers of two installations mixed up would mix their data. What does not live here: how each server keeps the id.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use eventlog::Log;
use projections::installation::InstallationIds;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::environment::{self, Servers};
use crate::settings::Settings;

/// How long a role waits at its start for PostgreSQL and Redis.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// What each server says: its name for people and the id it holds.
type Side<'a> = (&'a str, Option<String>);

/// Compares the ids and gives the one there is, or a new one, to every server that has none.
pub async fn ensure(settings: &Settings, servers: &Servers, log: &Log) -> anyhow::Result<()> {
    let marks = marks(settings, servers).await?;
    let sides = sides(log, &marks).await?;
    let id = match agreed(&sides)? {
        Some(id) => id,
        None => log.ensure_installation(&new_id()).await?,
    };
    let in_log = log.ensure_installation(&id).await?;
    marks.set(&in_log).await?;
    agreed(&self::sides(log, &marks).await?).map(drop)
}

/// Compares the ids; the log and PostgreSQL must have one. Redis may be empty: what it holds is rebuilt.
pub async fn check(settings: &Settings, servers: &Servers, log: &Log) -> anyhow::Result<()> {
    let deadline = Instant::now() + ANSWER_WITHIN;
    let sides = loop {
        let asked = timeout(ANSWER_WITHIN, look(settings, servers, log)).await;
        match asked.unwrap_or_else(|_| Err(anyhow!("PostgreSQL or Redis does not answer within {ANSWER_WITHIN:?}"))) {
            Ok(sides) => break sides,
            Err(error) if Instant::now() > deadline || is_refusal(&error) => return Err(error),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "waiting for PostgreSQL and Redis"),
        }
        sleep(ASK_AGAIN).await;
    };
    agreed(&sides)?;
    let missing: Vec<_> = sides.iter().take(2).filter(|(_, id)| id.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        bail!("{} has no installation yet: run `argusiq migrate`", missing.join(" and "))
    }
}

async fn look<'a>(settings: &Settings, servers: &Servers, log: &Log) -> anyhow::Result<[Side<'a>; 3]> {
    sides(log, &marks(settings, servers).await?).await
}

fn is_refusal(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<projections::Error>()).any(projections::Error::is_refusal)
}

async fn marks(settings: &Settings, servers: &Servers) -> anyhow::Result<InstallationIds> {
    let read = InstallationIds::connect(&servers.postgres.0, &environment::redis(settings, servers)).await;
    read.context("the installation's id cannot be read")
}

async fn sides<'a>(log: &Log, marks: &InstallationIds) -> anyhow::Result<[Side<'a>; 3]> {
    let (postgres, redis) = marks.read().await.context("the installation's id cannot be read")?;
    Ok([("the log", log.installation().await?), ("PostgreSQL", postgres), ("Redis", redis)])
}

/// The id that all sides that have one agree on.
fn agreed(sides: &[Side<'_>]) -> anyhow::Result<Option<String>> {
    let mut known = sides.iter().filter_map(|(name, id)| Some((*name, id.as_deref()?)));
    let Some((first, id)) = known.next() else { return Ok(None) };
    match known.find(|(_, other)| *other != id) {
        None => Ok(Some(id.to_owned())),
        Some((second, other)) => bail!(
            "two installations are mixed up: {first} belongs to {id}, {second} to {other}; check nats.url, postgres.url \
             and redis.url"
        ),
    }
}

#[allow(clippy::disallowed_methods, reason = "the one random id of an installation, made at the rim")]
fn new_id() -> String {
    Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, id: Option<&str>) -> (String, Option<String>) {
        (name.to_owned(), id.map(str::to_owned))
    }

    #[test]
    fn a_mismatch_names_both_sides() {
        let (a, b, c) = (side("the log", Some("1")), side("PostgreSQL", None), side("Redis", Some("2")));
        let sides = [&a, &b, &c].map(|(name, id)| (name.as_str(), id.clone()));
        let text = agreed(&sides).unwrap_err().to_string();
        assert!(text.contains("the log belongs to 1") && text.contains("Redis to 2"), "{text}");
        assert_eq!(agreed(&sides[..2]).unwrap().as_deref(), Some("1"));
        assert_eq!(agreed(&[]).unwrap(), None);
    }
}
