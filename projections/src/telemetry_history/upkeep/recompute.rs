//! Aggregates of dirty hours, made again from the values.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection, PgConnection};

use crate::Error;
use crate::telemetry_history::hours::{Aggregate, write};
use crate::telemetry_history::keys::Keys;
use crate::telemetry_history::values::{MERGED, NEEDS_MERGE, PLAIN, SOURCES};

/// How many hours of entities are made again in one transaction.
const AT_ONCE: i64 = 200;

/// Takes marks of dirty hours away. One that the writer holds has a reading on its way: it is left for the next time.
/// Whoever marks one of these again waits until they are made again.
const TAKE: &str = "WITH taken AS (
        SELECT entity, hour FROM telemetry_dirty_hour
        WHERE hour < (SELECT closed_before FROM telemetry_watermark)
        ORDER BY hour, entity LIMIT $1 FOR UPDATE SKIP LOCKED)
    DELETE FROM telemetry_dirty_hour d USING taken t WHERE d.entity = t.entity AND d.hour = t.hour
    RETURNING d.entity, d.hour";

/// A metric's count, least, greatest, sum, and the devices they come from.
type Line = (String, i64, f64, f64, f64, Option<Vec<i32>>);

/// Makes some dirty hours again; tells whether there were any.
pub async fn some(db: &mut PgConnection) -> Result<bool, Error> {
    let mut transaction = db.begin().await?;
    let dirty: Vec<(i32, DateTime<Utc>)> = sqlx::query_as(TAKE).bind(AT_ONCE).fetch_all(&mut *transaction).await?;
    let mut keys = Keys::default();
    for (entity, hour) in &dirty {
        one(&mut transaction, &mut keys, *entity, *hour).await?;
    }
    transaction.commit().await?;
    Ok(!dirty.is_empty())
}

async fn one(db: &mut PgConnection, keys: &mut Keys, entity: i32, hour: DateTime<Utc>) -> Result<(), Error> {
    let until = hour + TimeDelta::hours(1);
    let merge: bool = sqlx::query_scalar(NEEDS_MERGE).bind(entity).bind(hour).bind(until).fetch_one(&mut *db).await?;
    let values = if merge { MERGED } else { PLAIN };
    let sources = if merge { SOURCES } else { "NULL::integer[]" };
    let sql = format!(
        "SELECT metric_key, count(*), min(value), max(value), sum(value), {sources}
         FROM ({values}) v GROUP BY 1 ORDER BY 1"
    );
    let lines: Vec<Line> = sqlx::query_as(&sql).bind(entity).bind(hour).bind(until).fetch_all(&mut *db).await?;
    let sql = "DELETE FROM telemetry_hour WHERE entity = $1 AND hour = $2";
    sqlx::query(sql).bind(entity).bind(hour).execute(&mut *db).await?;
    let mut groups: BTreeMap<Vec<i32>, Vec<Line>> = BTreeMap::new();
    for line in lines {
        groups.entry(line.5.clone().unwrap_or_default()).or_default().push(line);
    }
    for (sources, lines) in groups {
        let set = keys.set(db, lines.iter().map(|line| line.0.clone()).collect()).await?;
        let place = (hour.timestamp_micros(), entity, set);
        write(db, [(&place, &aggregate(&lines, sources))].into_iter()).await?;
    }
    Ok(())
}

fn aggregate(lines: &[Line], sources: Vec<i32>) -> Aggregate {
    Aggregate {
        counts: lines.iter().map(|line| i32::try_from(line.1).unwrap_or(i32::MAX)).collect(),
        minima: lines.iter().map(|line| line.2).collect(),
        maxima: lines.iter().map(|line| line.3).collect(),
        sums: lines.iter().map(|line| line.4).collect(),
        sources: sources.into_iter().collect(),
    }
}
