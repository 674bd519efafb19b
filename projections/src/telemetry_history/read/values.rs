//! Raw values, from rows and segments.

use std::collections::HashMap;
use std::ops::{Bound, RangeBounds};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::{Point, Query, devices, entity_key};
use crate::binary_copy::micros;
use crate::telemetry_history::merged_reading::{
    Candidate, JsonObject, MergedValues, MetricSetKeys, Metrics, StoredReading,
};
use crate::telemetry_history::segment::Segment;
use crate::{Error, Reader};

/// Marks a row of `telemetry_reading`.
const READING: i32 = 0;
/// Marks a row of `telemetry_late`.
const LATE: i32 = 1;

/// A row of readings, or a segment.
struct StoredRow {
    measured_at: DateTime<Utc>,
    metric_set: i32,
    numbers: Vec<f64>,
    others: Option<Json<JsonObject>>,
    flaws: Option<Json<JsonObject>>,
    sources: Option<Vec<i32>>,
    position: i64,
    /// The table that it comes from.
    kind: i32,
    /// Segments only.
    unit: Option<i64>,
    /// Segments only.
    offsets: Option<Vec<i32>>,
}

impl FromRow<'_, PgRow> for StoredRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            measured_at: row.try_get("measured_at")?,
            metric_set: row.try_get("metric_set")?,
            numbers: row.try_get("numbers")?,
            others: row.try_get("others")?,
            flaws: row.try_get("flaws")?,
            sources: row.try_get("sources")?,
            position: row.try_get("position")?,
            kind: row.try_get("kind")?,
            unit: row.try_get("unit")?,
            offsets: row.try_get("offsets")?,
        })
    }
}

/// Returns the values in a time range, in time order; for one time and metric, the last to arrive.
pub async fn raw(reader: &Reader, query: &Query) -> Result<Vec<Point>, Error> {
    let Some(entity) = entity_key(reader, query.entity).await? else { return Ok(Vec::new()) };
    let mut rows = query.limit();
    let found = loop {
        let stored = stored(reader, query, entity, rows).await?;
        let seen = seen(&stored, query, rows);
        let found = found(reader, query, entity, stored).await?;
        if found.keys().filter(|(at, _)| seen.contains(at)).count() >= query.limit() || seen == EVERYTHING {
            break found;
        }
        // Too many rows replaced each other at the same times; fetch more.
        rows *= 4;
    };
    let sources = found.values().flat_map(|candidate| candidate.sources.iter().copied());
    let devices = devices(reader, sources).await?;
    let surplus = found.len().saturating_sub(query.limit());
    let skipped = if query.newest { surplus } else { 0 };
    let points = found.into_iter().skip(skipped).take(query.limit());
    Ok(points.filter_map(|((at, key), candidate)| point(at, key, candidate, &devices)).collect())
}

/// A range of times, in microseconds.
type Span = (Bound<i64>, Bound<i64>);
const EVERYTHING: Span = (Bound::Unbounded, Bound::Unbounded);

/// Returns the time range in which every row was fetched: up to the last row of a table that had more than `rows`.
fn seen(stored: &[StoredRow], query: &Query, rows: usize) -> Span {
    let last = |kind| {
        let times = || stored.iter().filter(|stored| stored.kind == kind).map(|stored| micros(stored.measured_at));
        let last = if query.newest { times().min() } else { times().max() };
        last.filter(|_| times().count() > rows)
    };
    let (readings, late) = (last(READING), last(LATE));
    if query.newest {
        readings.max(late).map_or(EVERYTHING, |last| (Bound::Excluded(last), Bound::Unbounded))
    } else {
        let first = readings.into_iter().chain(late).min();
        first.map_or(EVERYTHING, |last| (Bound::Unbounded, Bound::Excluded(last)))
    }
}

async fn found(reader: &Reader, query: &Query, entity: i32, stored: Vec<StoredRow>) -> Result<MergedValues, Error> {
    let sets = sets_of(reader, query, &stored).await?;
    let (from, until) = (micros(query.from), micros(query.until));
    let mut found = MergedValues::new();
    for reading in stored.into_iter().flat_map(|stored| stored.readings(entity)) {
        if (from..until).contains(&reading.measured_at) {
            reading.merge_into(&sets, query.metric_key.as_deref(), &mut found);
        }
    }
    Ok(found)
}

/// Fetches rows and segments in one statement, so that a row compacted meanwhile is read exactly once. Each table
/// returns up to `rows` + 1 rows, and segments cover as many hours as hold that many readings.
async fn stored(reader: &Reader, query: &Query, entity: i32, rows: usize) -> Result<Vec<StoredRow>, Error> {
    let sql = statement(query.newest, query.metric_key.is_some());
    let limit = i64::try_from(rows).unwrap_or(i64::MAX);
    let mut bound = sqlx::query_as(&sql).bind(entity).bind(query.from).bind(query.until).bind(limit);
    if let Some(key) = &query.metric_key {
        bound = bound.bind(key);
    }
    Ok(bound.fetch_all(&reader.pool).await?)
}

/// Builds the statement. `$1` entity, `$2` from, `$3` until, `$4` limit, `$5` the metric if one is given.
fn statement(newest: bool, one_metric: bool) -> String {
    let order = if newest { "DESC" } else { "ASC" };
    let slot = |table: &str| match one_metric {
        true => format!("LEFT JOIN metric_slot s ON s.metric_set = {table}.metric_set AND s.metric_key = $5"),
        false => String::new(),
    };
    let row_numbers = match one_metric {
        true => "CASE WHEN s.slot IS NULL THEN '{}' ELSE r.numbers[s.slot:s.slot] END",
        false => "r.numbers",
    };
    let only = |others: &str| match one_metric {
        true => format!("AND (s.slot IS NOT NULL OR {others})"),
        false => String::new(),
    };
    let rows = |table: &str, kind: i32| {
        let (slot, only) = (slot("r"), only("r.others ? $5"));
        format!(
            "(SELECT r.measured_at, r.metric_set, {row_numbers} AS numbers, r.others, r.flaws, r.sources,
                coalesce(r.position, 0) AS position, {kind} AS kind, NULL::bigint AS unit, NULL::integer[] AS offsets
             FROM {table} r {slot}
             WHERE r.entity = $1 AND r.measured_at >= $2 AND r.measured_at < $3 {only}
             ORDER BY r.measured_at {order} LIMIT $4 + 1)"
        )
    };
    let (slots, numbers) = match one_metric {
        true => {
            (", s.slot", "CASE WHEN slot IS NULL THEN '{}' ELSE numbers[(slot - 1) * count + 1 : slot * count] END")
        }
        false => ("", "numbers"),
    };
    let only = only("EXISTS (SELECT FROM jsonb_each(g.others) o WHERE o.value ? $5)");
    // Only segments that certainly contribute a value are counted: an hour cut by the range, or a set without metrics,
    // may contribute none.
    let sure = match one_metric {
        true => "s.slot IS NOT NULL",
        false => "EXISTS (SELECT FROM metric_slot m WHERE m.metric_set = g.metric_set)",
    };
    format!(
        "{} UNION ALL {} UNION ALL
         SELECT starts_at, metric_set, {numbers}, others, flaws, sources, 0, 2, unit, offsets FROM (
            SELECT g.*{slots}, sum(CASE WHEN g.hour >= $2 AND g.hour + interval '1 hour' <= $3
                    AND {sure} THEN g.count ELSE 0 END)
                OVER (ORDER BY g.hour {order} GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
            FROM telemetry_segment g {}
            WHERE g.entity = $1 AND g.hour > $2 - interval '1 hour' AND g.hour < $3 {only}) AS counted
         WHERE coalesce(before, 0) < $4",
        rows("telemetry_reading", READING),
        rows("telemetry_late", LATE),
        slot("g"),
    )
}

impl StoredRow {
    fn readings(self, entity: i32) -> Vec<StoredReading> {
        let (measured_at, metrics) = (micros(self.measured_at), Metrics::Set(self.metric_set));
        let (others, flaws) = (self.others.map(|Json(others)| others), self.flaws.map(|Json(flaws)| flaws));
        let (numbers, sources, position) = (self.numbers, self.sources.unwrap_or_default(), self.position);
        match (self.unit, self.offsets) {
            (Some(unit), Some(offsets)) => {
                Segment { entity, metrics, sources, starts_at: measured_at, unit, offsets, numbers, others, flaws }
                    .readings()
            }
            _ => vec![StoredReading { entity, measured_at, metrics, numbers, others, flaws, sources, position }],
        }
    }
}

/// Returns the metric keys of the sets that the rows refer to; if one metric is given, only its key.
async fn sets_of(reader: &Reader, query: &Query, stored: &[StoredRow]) -> Result<MetricSetKeys, Error> {
    let mut sets: Vec<i32> = stored.iter().map(|stored| stored.metric_set).collect();
    sets.sort_unstable();
    sets.dedup();
    if let Some(key) = &query.metric_key {
        return Ok(sets.into_iter().map(|set| (set, vec![key.clone()])).collect());
    }
    let sql = "SELECT id, keys FROM metric_set WHERE id = ANY($1)";
    let found: Vec<(i32, Vec<String>)> = sqlx::query_as(sql).bind(sets).fetch_all(&reader.pool).await?;
    Ok(found.into_iter().collect())
}

fn point(at: i64, metric_key: String, candidate: Candidate, devices: &HashMap<i32, Uuid>) -> Option<Point> {
    Some(Point {
        measured_at: DateTime::from_timestamp_micros(at)?,
        metric_key,
        value: candidate.value,
        quality: candidate.quality.as_ref().and_then(Value::as_str).unwrap_or("good").to_owned(),
        source_devices: candidate.sources.iter().filter_map(|source| devices.get(source).copied()).collect(),
    })
}
