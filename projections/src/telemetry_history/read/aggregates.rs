//! Aggregates over equal steps of time. Steps begin at full minutes, five minutes or hours (UTC). A step that the range
//! cuts has only the values within the range, and is still named by its start.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::finite_sum::FiniteSum;
use serde::Serialize;
use uuid::Uuid;

use super::{Query, devices, entity_key};
use crate::telemetry_history::hour_aggregates::{MICROS_PER_HOUR, hour_of};
use crate::telemetry_history::value_queries::{AGGREGATES, MERGED, NEEDS_MERGE, PLAIN, SOURCES};
use crate::{Error, Reader};

/// The length of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One minute, computed on demand.
    Minute,
    /// Five minutes, computed on demand.
    FiveMinutes,
    /// One hour, from stored aggregates, and from the values for open, dirty and cut hours.
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
    /// The start of the step, even if the range begins later.
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
    sum: FiniteSum,
    sources: BTreeSet<i32>,
}

type Parts = BTreeMap<(DateTime<Utc>, String), Part>;
/// Start, metric, count, minimum, maximum, sum, further sum in units of 2^64, sources.
type AggregateRow = (DateTime<Utc>, String, i64, f64, f64, Option<f64>, Option<f64>, Option<Vec<i32>>);
/// A range of time, half-open.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// Returns the aggregates of the numbers in a time range, in time order.
pub async fn aggregate(reader: &Reader, query: &Query, step: Step) -> Result<Vec<Aggregated>, Error> {
    let Some(entity) = entity_key(reader, query.entity).await? else { return Ok(Vec::new()) };
    let mut parts = Parts::new();
    let unstored = match step {
        Step::Minute | Step::FiveMinutes => vec![(query.from, query.until)],
        Step::Hour => hours(reader, query, entity, &mut parts).await?,
    };
    for span in unstored {
        rows(reader, query, entity, span, step, &mut parts).await?;
    }
    finish(reader, query, parts).await
}

/// Adds the stored hours that lie within the range; returns the spans that must be aggregated from the values: hours
/// that the range cuts, dirty and open ones, and those whose stored sum overflowed.
async fn hours(reader: &Reader, query: &Query, entity: i32, parts: &mut Parts) -> Result<Vec<Span>, Error> {
    let (from, until) = (hour_from(query.from), hour_until(query.until));
    if from >= until {
        return Ok(vec![(query.from, query.until)]);
    }
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
            h.sums[s.slot], NULL::float8, h.sources
        FROM telemetry_hour h JOIN metric_slot s ON s.metric_set = h.metric_set
        WHERE h.entity = $1 AND h.hour >= $2 AND h.hour < $3 AND h.hour <> ALL($4)
          AND ($5::text IS NULL OR s.metric_key = $5)";
    let stored = sqlx::query_as(sql).bind(entity).bind(from).bind(closed).bind(&dirty).bind(&query.metric_key);
    let stored: Vec<AggregateRow> = stored.fetch_all(&mut *snapshot).await?;
    snapshot.commit().await?;
    let overflowed = stored.iter().filter(|row| row.5.is_some_and(|sum| !sum.is_finite())).map(|row| row.0);
    let unstored: BTreeSet<DateTime<Utc>> = dirty.into_iter().chain(overflowed).collect();
    stored.into_iter().filter(|row| !unstored.contains(&row.0)).for_each(|row| add(parts, row));
    let unstored = unstored.into_iter().map(|hour| (hour, hour + TimeDelta::hours(1)));
    Ok(joined([(query.from, from)].into_iter().chain(unstored).chain([(closed, query.until)])))
}

/// Joins spans, given in order, that follow each other without a gap, and drops empty ones.
fn joined(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for (from, until) in spans.filter(|(from, until)| from < until) {
        match joined.last_mut() {
            Some(last) if last.1 == from => last.1 = until,
            _ => joined.push((from, until)),
        }
    }
    joined
}

/// Aggregates the values in a range.
async fn rows(
    reader: &Reader,
    query: &Query,
    entity: i32,
    (from, until): Span,
    step: Step,
    parts: &mut Parts,
) -> Result<(), Error> {
    let merge: bool =
        sqlx::query_scalar(NEEDS_MERGE).bind(entity).bind(from).bind(until).fetch_one(&reader.pool).await?;
    let values = if merge { MERGED } else { PLAIN };
    // The metric filter goes inside the subquery, so that other metrics are never unpacked.
    let values = values.replace("WHERE", "WHERE ($5::text IS NULL OR v.metric_key = $5) AND");
    let sources = if merge { SOURCES } else { "NULL::integer[]" };
    // Steps are counted from the first year: some versions of PostgreSQL put times before the origin into a wrong step.
    let sql = format!(
        "SELECT date_bin($4, measured_at, '0001-01-01T00:00:00Z'), metric_key, {AGGREGATES}, {sources}
         FROM ({values}) v GROUP BY 1, 2"
    );
    let bound = sqlx::query_as(&sql).bind(entity).bind(from).bind(until).bind(step.length()).bind(&query.metric_key);
    let rows_read: Vec<AggregateRow> = bound.fetch_all(&reader.pool).await?;
    rows_read.into_iter().for_each(|row| add(parts, row));
    Ok(())
}

fn add(parts: &mut Parts, row: AggregateRow) {
    let (start, key, count, minimum, maximum, sum, divided, sources) = row;
    let nothing = Part {
        count: 0,
        minimum: f64::INFINITY,
        maximum: f64::NEG_INFINITY,
        sum: FiniteSum::default(),
        sources: BTreeSet::new(),
    };
    let part = parts.entry((start, key)).or_insert(nothing);
    part.count += count;
    part.minimum = part.minimum.min(minimum);
    part.maximum = part.maximum.max(maximum);
    part.sum.add(sum.unwrap_or_default());
    part.sum.add_divided(divided.unwrap_or_default());
    part.sources.extend(sources.unwrap_or_default());
}

async fn finish(reader: &Reader, query: &Query, mut parts: Parts) -> Result<Vec<Aggregated>, Error> {
    parts.retain(|_, part| part.count > 0);
    let known = devices(reader, parts.values().flat_map(|part| part.sources.iter().copied())).await?;
    let surplus = parts.len().saturating_sub(query.limit());
    let skipped = if query.newest { surplus } else { 0 };
    let finished = parts.into_iter().skip(skipped).take(query.limit());
    let aggregated = finished.map(|((start, metric_key), part)| Aggregated {
        start,
        metric_key,
        mean: part.sum.mean(part.count as f64),
        minimum: part.minimum,
        maximum: part.maximum,
        count: part.count,
        source_devices: part.sources.iter().filter_map(|source| known.get(source).copied()).collect(),
    });
    Ok(aggregated.collect())
}

/// Returns the start of the first hour that begins at or after a time.
fn hour_from(at: DateTime<Utc>) -> DateTime<Utc> {
    hour_until(at + TimeDelta::microseconds(MICROS_PER_HOUR - 1))
}

/// Returns the start of the hour that contains a time.
fn hour_until(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(hour_of(at.timestamp_micros())).unwrap_or(at)
}
