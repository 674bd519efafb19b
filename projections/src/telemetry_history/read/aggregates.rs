//! Aggregates over equal steps of time. Steps begin at full minutes, five minutes or hours (UTC); the first and last
//! step are always complete, even if the range begins or ends within them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Query, devices, entity_key};
use crate::telemetry_history::value_queries::{MERGED, NEEDS_MERGE, PLAIN, SOURCES};
use crate::{Error, Reader};

/// The length of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One minute, computed on demand.
    Minute,
    /// Five minutes, computed on demand.
    FiveMinutes,
    /// One hour, from stored aggregates, and from the values for open and dirty hours.
    Hour,
}

impl Step {
    fn length(self) -> TimeDelta {
        match self {
            Self::Minute => TimeDelta::minutes(1),
            Self::FiveMinutes => TimeDelta::minutes(5),
            Self::Hour => TimeDelta::hours(1),
        }
    }
}

/// The aggregate of one metric over one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Aggregated {
    /// The start of the step.
    pub start: DateTime<Utc>,
    /// The metric.
    pub metric_key: String,
    /// The arithmetic mean.
    pub mean: f64,
    /// The smallest value.
    pub minimum: f64,
    /// The largest value.
    pub maximum: f64,
    /// The number of values.
    pub count: i64,
    /// The devices that they come from; empty for devices.
    pub source_devices: Vec<Uuid>,
}

#[derive(Clone, Debug)]
struct Part {
    count: i64,
    minimum: f64,
    maximum: f64,
    sum: f64,
    sources: BTreeSet<i32>,
}

type Parts = BTreeMap<(DateTime<Utc>, String), Part>;
type AggregateRow = (DateTime<Utc>, String, i64, f64, f64, f64, Option<Vec<i32>>);

/// Returns the aggregates of the numbers in a time range, in time order.
pub async fn aggregate(reader: &Reader, query: &Query, step: Step) -> Result<Vec<Aggregated>, Error> {
    let Some(entity) = entity_key(reader, query.entity).await? else { return Ok(Vec::new()) };
    let from = floor(query.from, step);
    let mut until = floor(query.until, step);
    if until < query.until {
        until += step.length();
    }
    let mut parts = Parts::new();
    match step {
        Step::Minute | Step::FiveMinutes => rows(reader, query, entity, (from, until), step, &mut parts).await?,
        Step::Hour => hours(reader, query, entity, from, until, &mut parts).await?,
    }
    finish(reader, query, parts).await
}

/// Aggregates hours: closed ones from their table, open and dirty ones from the values.
async fn hours(
    reader: &Reader,
    query: &Query,
    entity: i32,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    parts: &mut Parts,
) -> Result<(), Error> {
    // Watermark, dirty hours and aggregates change together, so they are read in one snapshot.
    let mut snapshot = reader.pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *snapshot).await?;
    let closed: Option<DateTime<Utc>> =
        sqlx::query_scalar("SELECT closed_before FROM telemetry_watermark").fetch_optional(&mut *snapshot).await?;
    let closed = closed.unwrap_or(from).clamp(from, until);
    let sql = "SELECT hour FROM telemetry_dirty_hour WHERE entity = $1 AND hour >= $2 AND hour < $3";
    let dirty: Vec<DateTime<Utc>> =
        sqlx::query_scalar(sql).bind(entity).bind(from).bind(closed).fetch_all(&mut *snapshot).await?;
    let sql = "SELECT h.hour, s.metric_key, h.counts[s.slot]::bigint, h.minima[s.slot], h.maxima[s.slot],
            h.sums[s.slot], h.sources
        FROM telemetry_hour h JOIN metric_slot s ON s.metric_set = h.metric_set
        WHERE h.entity = $1 AND h.hour >= $2 AND h.hour < $3 AND h.hour <> ALL($4)
          AND ($5::text IS NULL OR s.metric_key = $5)";
    let stored = sqlx::query_as(sql).bind(entity).bind(from).bind(closed).bind(&dirty).bind(&query.metric_key);
    let stored: Vec<AggregateRow> = stored.fetch_all(&mut *snapshot).await?;
    snapshot.commit().await?;
    stored.into_iter().for_each(|row| add(parts, row));
    for hour in dirty {
        rows(reader, query, entity, (hour, hour + TimeDelta::hours(1)), Step::Hour, parts).await?;
    }
    if closed < until {
        rows(reader, query, entity, (closed, until), Step::Hour, parts).await?;
    }
    Ok(())
}

/// Aggregates the values in a range of whole steps.
async fn rows(
    reader: &Reader,
    query: &Query,
    entity: i32,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    step: Step,
    parts: &mut Parts,
) -> Result<(), Error> {
    let merge: bool =
        sqlx::query_scalar(NEEDS_MERGE).bind(entity).bind(from).bind(until).fetch_one(&reader.pool).await?;
    let values = if merge { MERGED } else { PLAIN };
    // The metric filter goes inside the subquery, so that other metrics are never unpacked.
    let values = values.replace("WHERE", "WHERE ($5::text IS NULL OR v.metric_key = $5) AND");
    let sources = if merge { SOURCES } else { "NULL::integer[]" };
    let sql = format!(
        "SELECT date_bin($4, measured_at, '2000-01-01T00:00:00Z'), metric_key, count(*), min(value), max(value),
            sum(value), {sources} FROM ({values}) v GROUP BY 1, 2"
    );
    let bound = sqlx::query_as(&sql).bind(entity).bind(from).bind(until).bind(step.length()).bind(&query.metric_key);
    let rows_read: Vec<AggregateRow> = bound.fetch_all(&reader.pool).await?;
    rows_read.into_iter().for_each(|row| add(parts, row));
    Ok(())
}

fn add(parts: &mut Parts, row: AggregateRow) {
    let (start, key, count, minimum, maximum, sum, sources) = row;
    let sources: BTreeSet<i32> = sources.unwrap_or_default().into_iter().collect();
    match parts.get_mut(&(start, key.clone())) {
        Some(part) => {
            part.count += count;
            part.minimum = part.minimum.min(minimum);
            part.maximum = part.maximum.max(maximum);
            part.sum += sum;
            part.sources.extend(sources);
        }
        None => {
            parts.insert((start, key), Part { count, minimum, maximum, sum, sources });
        }
    }
}

async fn finish(reader: &Reader, query: &Query, parts: Parts) -> Result<Vec<Aggregated>, Error> {
    let known = devices(reader, parts.values().flat_map(|part| part.sources.iter().copied())).await?;
    let surplus = parts.len().saturating_sub(query.limit());
    let skipped = if query.newest { surplus } else { 0 };
    let finished = parts.into_iter().filter(|(_, part)| part.count > 0).skip(skipped).take(query.limit());
    let aggregated = finished.map(|((start, metric_key), part)| Aggregated {
        start,
        metric_key,
        mean: part.sum / part.count as f64,
        minimum: part.minimum,
        maximum: part.maximum,
        count: part.count,
        source_devices: part.sources.iter().filter_map(|source| known.get(source).copied()).collect(),
    });
    Ok(aggregated.collect())
}

fn floor(at: DateTime<Utc>, step: Step) -> DateTime<Utc> {
    // Truncation fails only for years outside the nanosecond range; such a time is used as it is.
    at.duration_trunc(step.length()).unwrap_or(at)
}
