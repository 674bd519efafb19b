//! Values as they were measured.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Point, Query, devices, entity_key};
use crate::{Error, Reader};

/// A row of either table: time, set, numbers, other values, qualities, sources, position.
type Line = (
    DateTime<Utc>,
    i32,
    Vec<Option<f64>>,
    Option<Json<Map<String, Value>>>,
    Option<Json<Map<String, Value>>>,
    Option<Vec<i32>>,
    i64,
);

/// A value that may still be beaten by one that arrived later.
struct Candidate {
    position: i64,
    value: Value,
    quality: Option<String>,
    sources: Vec<i32>,
}

type Found = BTreeMap<(DateTime<Utc>, String), Candidate>;

/// Returns the values in a span of time, in the order of time; of one time and metric the last that arrived.
pub async fn raw(reader: &Reader, query: &Query) -> Result<Vec<Point>, Error> {
    let Some(entity) = entity_key(reader, query.entity).await? else { return Ok(Vec::new()) };
    let mut lines = lines(reader, query, entity, "telemetry_reading").await?;
    lines.extend(self::lines(reader, query, entity, "telemetry_late").await?);
    let keys = keys_of(reader, query, &lines).await?;
    let mut found = Found::new();
    for line in lines {
        unfold(query, &keys, line, &mut found);
    }
    let sources = found.values().flat_map(|candidate| candidate.sources.iter().copied());
    let devices = devices(reader, sources).await?;
    let surplus = found.len().saturating_sub(query.limit());
    let skipped = if query.newest { surplus } else { 0 };
    let points = found.into_iter().skip(skipped).take(query.limit());
    Ok(points.map(|((measured_at, key), candidate)| point(measured_at, key, candidate, &devices)).collect())
}

/// Reads rows of one table. Each of both gives as many as are wanted in all, so that the merged ones are the right ones.
async fn lines(reader: &Reader, query: &Query, entity: i32, table: &str) -> Result<Vec<Line>, Error> {
    let order = if query.newest { "DESC" } else { "ASC" };
    let (numbers, narrow) = match query.metric_key {
        None => ("r.numbers", ""),
        Some(_) => (
            "CASE WHEN s.slot IS NULL THEN '{}' ELSE r.numbers[s.slot:s.slot] END",
            "LEFT JOIN metric_slot s ON s.metric_set = r.metric_set AND s.metric_key = $5",
        ),
    };
    let only = if query.metric_key.is_some() { "AND (s.slot IS NOT NULL OR r.others ? $5)" } else { "" };
    let sql = format!(
        "SELECT r.measured_at, r.metric_set, {numbers}, r.others, r.flaws, r.sources, coalesce(r.position, 0)
         FROM {table} r {narrow}
         WHERE r.entity = $1 AND r.measured_at >= $2 AND r.measured_at < $3 {only}
         ORDER BY r.measured_at {order} LIMIT $4"
    );
    let limit = i64::try_from(query.limit()).unwrap_or(i64::MAX);
    let mut bound = sqlx::query_as(&sql).bind(entity).bind(query.from).bind(query.until).bind(limit);
    if let Some(key) = &query.metric_key {
        bound = bound.bind(key);
    }
    Ok(bound.fetch_all(&reader.pool).await?)
}

/// Returns the keys of the sets that the rows refer to; with one metric wanted, its key alone.
async fn keys_of(reader: &Reader, query: &Query, lines: &[Line]) -> Result<HashMap<i32, Vec<String>>, Error> {
    let mut sets: Vec<i32> = lines.iter().map(|line| line.1).collect();
    sets.sort_unstable();
    sets.dedup();
    if let Some(key) = &query.metric_key {
        return Ok(sets.into_iter().map(|set| (set, vec![key.clone()])).collect());
    }
    let sql = "SELECT id, keys FROM metric_set WHERE id = ANY($1)";
    let found: Vec<(i32, Vec<String>)> = sqlx::query_as(sql).bind(sets).fetch_all(&reader.pool).await?;
    Ok(found.into_iter().collect())
}

fn unfold(query: &Query, keys: &HashMap<i32, Vec<String>>, line: Line, found: &mut Found) {
    let (measured_at, set, numbers, others, flaws, sources, position) = line;
    let flaws = flaws.map(|Json(flaws)| flaws).unwrap_or_default();
    let sources = sources.unwrap_or_default();
    let keys = keys.get(&set).map_or(&[][..], Vec::as_slice);
    let numbers = keys.iter().cloned().zip(numbers).filter_map(|(key, number)| Some((key, Value::from(number?))));
    let others = others.map(|Json(others)| others).unwrap_or_default();
    for (key, value) in numbers.chain(others) {
        if query.metric_key.as_ref().is_some_and(|wanted| *wanted != key) {
            continue;
        }
        let quality = flaws.get(&key).and_then(Value::as_str).map(str::to_owned);
        let candidate = Candidate { position, value, quality, sources: sources.clone() };
        match found.get_mut(&(measured_at, key.clone())) {
            Some(held) => held.meet(candidate),
            None => {
                found.insert((measured_at, key), candidate);
            }
        }
    }
}

impl Candidate {
    /// The one that arrived last wins; the sources of both are named.
    fn meet(&mut self, other: Candidate) {
        let mut sources = self.sources.clone();
        sources.extend(other.sources.iter().filter(|source| !self.sources.contains(source)));
        if other.position >= self.position {
            *self = other;
        }
        self.sources = sources;
    }
}

fn point(measured_at: DateTime<Utc>, metric_key: String, candidate: Candidate, devices: &HashMap<i32, Uuid>) -> Point {
    Point {
        measured_at,
        metric_key,
        value: candidate.value,
        quality: candidate.quality.unwrap_or_else(|| "good".into()),
        source_devices: candidate.sources.iter().filter_map(|source| devices.get(source).copied()).collect(),
    }
}
