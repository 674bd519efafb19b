//! Aggregates of dirty hours, made again from the rows, a few with every batch.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::hours::{Aggregate, Hours, write};
use super::keys::Keys;
use crate::Error;

/// How many hours of entities are made again with one batch.
const AT_ONCE: i64 = 8;

/// Values as they count: of one time and metric the last to arrive. `$1` entity, `$2` from, `$3` until.
pub const MERGED: &str = "SELECT DISTINCT ON (r.measured_at, s.metric_key)
        r.measured_at, s.metric_key, r.numbers[s.slot] AS value, r.sources
    FROM telemetry_row r JOIN metric_slot s ON s.metric_set = r.metric_set
    WHERE r.entity = $1 AND r.measured_at >= $2 AND r.measured_at < $3
    ORDER BY r.measured_at, s.metric_key, r.position DESC";

/// The same where nothing was late and nothing has several sources: no sorting.
pub const PLAIN: &str = "SELECT r.measured_at, s.metric_key, r.numbers[s.slot] AS value, r.sources
    FROM telemetry_reading r JOIN metric_slot s ON s.metric_set = r.metric_set
    WHERE r.entity = $1 AND r.measured_at >= $2 AND r.measured_at < $3";

/// Whether merging is needed: `$1` entity, `$2` from, `$3` until.
pub const NEEDS_MERGE: &str = "SELECT EXISTS (SELECT FROM telemetry_late l
        WHERE l.entity = $1 AND l.measured_at >= $2 AND l.measured_at < $3)
    OR EXISTS (SELECT FROM telemetry_entity e WHERE e.key = $1 AND e.entity_type = 'Asset')";

type Line = (String, i64, f64, f64, f64);

/// Makes some dirty hours again, if there are any.
pub async fn some(db: &mut PgConnection, keys: &mut Keys, hours: &mut Hours) -> Result<(), Error> {
    if !hours.dirty {
        return Ok(());
    }
    let sql = "SELECT d.entity, d.hour FROM telemetry_dirty_hour d
               WHERE d.hour < (SELECT closed_before FROM telemetry_watermark) LIMIT $1";
    let dirty: Vec<(i32, DateTime<Utc>)> = sqlx::query_as(sql).bind(AT_ONCE).fetch_all(&mut *db).await?;
    hours.dirty = !dirty.is_empty();
    for (entity, hour) in dirty {
        one(db, keys, entity, hour).await?;
    }
    Ok(())
}

async fn one(db: &mut PgConnection, keys: &mut Keys, entity: i32, hour: DateTime<Utc>) -> Result<(), Error> {
    let until = hour + TimeDelta::hours(1);
    let merge: bool = sqlx::query_scalar(NEEDS_MERGE).bind(entity).bind(hour).bind(until).fetch_one(&mut *db).await?;
    let values = if merge { MERGED } else { PLAIN };
    let sql = format!(
        "SELECT metric_key, count(*), min(value), max(value), sum(value) FROM ({values}) v GROUP BY 1 ORDER BY 1"
    );
    let lines: Vec<Line> = sqlx::query_as(&sql).bind(entity).bind(hour).bind(until).fetch_all(&mut *db).await?;
    let sql = format!("SELECT DISTINCT unnest(sources) FROM ({values}) v");
    let sources: Vec<i32> = if merge {
        sqlx::query_scalar(&sql).bind(entity).bind(hour).bind(until).fetch_all(&mut *db).await?
    } else {
        Vec::new()
    };
    for table in ["telemetry_hour", "telemetry_dirty_hour"] {
        let sql = format!("DELETE FROM {table} WHERE entity = $1 AND hour = $2");
        sqlx::query(&sql).bind(entity).bind(hour).execute(&mut *db).await?;
    }
    if lines.is_empty() {
        return Ok(());
    }
    let set = keys.set(db, lines.iter().map(|line| line.0.clone()).collect()).await?;
    let aggregate = Aggregate {
        counts: lines.iter().map(|line| i32::try_from(line.1).unwrap_or(i32::MAX)).collect(),
        minima: lines.iter().map(|line| line.2).collect(),
        maxima: lines.iter().map(|line| line.3).collect(),
        sums: lines.iter().map(|line| line.4).collect(),
        sources: sources.into_iter().collect(),
    };
    let place = (hour.timestamp_micros(), entity, set);
    write(db, BTreeMap::from([(place, aggregate)]).iter()).await
}
