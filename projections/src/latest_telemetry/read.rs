//! Queries of the newest values.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use eventlog::{Stream, error_chain};
use redis::{AsyncCommands, RedisError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use super::{Checkpoint, checkpoint_key};
use crate::{Error, Reader};

/// How often `wait_for` looks.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The newest value of one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatestValue {
    /// A number, boolean or text; null if it cannot be computed.
    pub value: Value,
    /// When it was measured, by the device's clock.
    pub measured_at: DateTime<Utc>,
    /// `good`, `uncertain` or `bad`.
    pub quality: String,
    /// Why it cannot be computed, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The newest values of a device or asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Latest {
    /// By metric.
    pub metrics: BTreeMap<String, LatestValue>,
    /// When anything from it last arrived.
    pub last_seen: Option<DateTime<Utc>>,
    /// `online`, `offline` or `unknown`; `unknown` for assets.
    pub connectivity: String,
}

#[derive(Deserialize)]
struct Stored {
    /// Their order of arrival; earlier versions did not store it.
    #[serde(default)]
    p: i64,
    v: BTreeMap<String, Value>,
    #[serde(default)]
    q: BTreeMap<String, String>,
    #[serde(default)]
    r: BTreeMap<String, String>,
}

type Connectivity = (Uuid, String, DateTime<Utc>);

/// Returns the newest values of an entity.
pub async fn get(reader: &Reader, entity: Uuid) -> Result<Latest, Error> {
    Ok(many(reader, &[entity]).await?.pop().unwrap_or_default())
}

/// Returns the newest values of entities, in the given order.
pub async fn many(reader: &Reader, entities: &[Uuid]) -> Result<Vec<Latest>, Error> {
    if entities.is_empty() {
        return Ok(Vec::new());
    }
    let mut calls = redis::pipe();
    entities.iter().for_each(|entity| {
        calls.hgetall(key(reader, *entity));
    });
    let found: Vec<Vec<(String, String)>> = calls.query_async(&mut reader.redis.clone()).await?;
    let sql = "SELECT device_id, connectivity, last_seen_at FROM device_connectivity WHERE device_id = ANY($1)";
    let known: Vec<Connectivity> = sqlx::query_as(sql).bind(entities).fetch_all(&reader.pool).await?;
    let known: BTreeMap<Uuid, (String, DateTime<Utc>)> =
        known.into_iter().map(|(device, state, seen)| (device, (state, seen))).collect();
    let latest = entities.iter().zip(found).map(|(entity, fields)| {
        let (connectivity, seen) = known.get(entity).cloned().map_or(("unknown".into(), None), |(c, s)| (c, Some(s)));
        let mut latest = unfold(fields);
        latest.last_seen = latest.last_seen.max(seen);
        latest.connectivity = connectivity;
        latest
    });
    Ok(latest.collect())
}

/// Waits until the values up to these positions are stored, at most until the deadline; returns whether they are.
pub async fn wait_for(reader: &Reader, positions: &[(Stream, u64)], deadline: Duration) -> Result<bool, Error> {
    let until = Instant::now() + deadline;
    loop {
        let stored: Option<String> = reader.redis.clone().get(checkpoint_key(&reader.key_prefix)).await?;
        let stored = stored.and_then(|text| serde_json::from_str::<Checkpoint>(&text).ok()).unwrap_or_default();
        if positions.iter().all(|(stream, sequence)| stored.positions.sequence(*stream) >= *sequence) {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Returns when a reading of each device last arrived, in the given order. If Redis is unavailable, returns `None` for
/// all, so that devices can still be listed.
pub(crate) async fn last_seen(reader: &Reader, entities: &[Uuid]) -> Result<Vec<Option<DateTime<Utc>>>, Error> {
    match times_of_arrival(reader, entities).await {
        Ok(times) => Ok(times.into_iter().map(|micros| micros.and_then(DateTime::from_timestamp_micros)).collect()),
        Err(error) => {
            warn!(
                error = error_chain(&error),
                "Redis is unavailable; devices are listed without the time of their last readings"
            );
            Ok(vec![None; entities.len()])
        }
    }
}

async fn times_of_arrival(reader: &Reader, entities: &[Uuid]) -> Result<Vec<Option<i64>>, RedisError> {
    let mut redis = reader.redis.clone();
    if let [entity] = entities {
        return Ok(vec![redis.hget(key(reader, *entity), "seen").await?]);
    }
    let mut calls = redis::pipe();
    for entity in entities {
        calls.hget(key(reader, *entity), "seen");
    }
    if entities.is_empty() { Ok(Vec::new()) } else { calls.query_async(&mut redis).await }
}

/// Parses an entity's hash fields. For a metric in several sets, the value with the greatest time counts, and of equal
/// times the last to arrive.
pub(crate) fn unfold(fields: Vec<(String, String)>) -> Latest {
    let mut latest = Latest::default();
    let mut sets: Vec<(i64, Stored)> = Vec::new();
    for (field, text) in fields {
        if field == "seen" {
            latest.last_seen = text.parse().ok().and_then(DateTime::from_timestamp_micros);
            continue;
        }
        let Some((micros, content)) = text.split_once('|') else { continue };
        let (Ok(micros), Ok(stored)) = (micros.parse(), serde_json::from_str(content)) else { continue };
        sets.push((micros, stored));
    }
    sets.sort_by_key(|(micros, stored)| (*micros, stored.p));
    for (micros, mut stored) in sets {
        let Some(measured_at) = DateTime::from_timestamp_micros(micros) else { continue };
        for (metric, value) in stored.v {
            let quality = stored.q.remove(&metric).unwrap_or_else(|| "good".into());
            let reason = stored.r.remove(&metric);
            latest.metrics.insert(metric, LatestValue { value, measured_at, quality, reason });
        }
    }
    latest
}

fn key(reader: &Reader, entity: Uuid) -> String {
    format!("{}latest:{entity}", reader.key_prefix)
}
