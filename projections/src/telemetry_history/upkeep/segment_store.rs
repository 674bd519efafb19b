//! Reads rows and segments from their tables, and writes segments.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, Row as _};

use crate::Error;
use crate::binary_copy::{BinaryCopy, micros};
use crate::telemetry_history::merged_reading::{JsonObject, MetricSetKeys, Metrics, StoredReading};
use crate::telemetry_history::segment::Segment;
use crate::telemetry_history::surrogate_keys::SurrogateKeys;

const SEGMENT_COLUMNS: &str =
    "(entity, hour, metric_set, sources, count, starts_at, ends_at, unit, offsets, numbers, others, flaws)";

/// The columns of a row, in the order of [`ReadingRow`].
pub const READING_COLUMNS: &str =
    "entity, measured_at, metric_set, numbers, others, flaws, sources, coalesce(position, 0)
    AS position";

/// A row of readings, decoded by column position: rows are many, and lookups by name would be paid for each.
pub type ReadingRow =
    (i32, DateTime<Utc>, i32, Vec<f64>, Option<Json<JsonObject>>, Option<Json<JsonObject>>, Option<Vec<i32>>, i64);

/// A row of the segment table.
pub struct SegmentRow {
    entity: i32,
    metric_set: i32,
    sources: Option<Vec<i32>>,
    starts_at: DateTime<Utc>,
    unit: i64,
    offsets: Vec<i32>,
    numbers: Vec<f64>,
    others: Option<Json<JsonObject>>,
    flaws: Option<Json<JsonObject>>,
}

impl FromRow<'_, PgRow> for SegmentRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            entity: row.try_get("entity")?,
            metric_set: row.try_get("metric_set")?,
            sources: row.try_get("sources")?,
            starts_at: row.try_get("starts_at")?,
            unit: row.try_get("unit")?,
            offsets: row.try_get("offsets")?,
            numbers: row.try_get("numbers")?,
            others: row.try_get("others")?,
            flaws: row.try_get("flaws")?,
        })
    }
}

/// Converts a row to a reading.
pub fn reading_of((entity, measured_at, set, numbers, others, flaws, sources, position): ReadingRow) -> StoredReading {
    StoredReading {
        entity,
        measured_at: micros(measured_at),
        metrics: Metrics::Set(set),
        numbers,
        others: others.map(|Json(others)| others),
        flaws: flaws.map(|Json(flaws)| flaws),
        sources: sources.unwrap_or_default(),
        position,
    }
}

impl From<SegmentRow> for Segment {
    fn from(stored: SegmentRow) -> Self {
        Self {
            entity: stored.entity,
            metrics: Metrics::Set(stored.metric_set),
            sources: stored.sources.unwrap_or_default(),
            starts_at: micros(stored.starts_at),
            unit: stored.unit,
            offsets: stored.offsets,
            numbers: stored.numbers,
            others: stored.others.map(|Json(others)| others),
            flaws: stored.flaws.map(|Json(flaws)| flaws),
        }
    }
}

/// Makes the transaction see one snapshot of all tables.
pub async fn use_snapshot(db: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(db).await?;
    Ok(())
}

/// Creates the segment partitions of these days.
pub async fn create_segment_days(db: &mut PgConnection, days: BTreeSet<NaiveDate>) -> Result<(), Error> {
    for day in days {
        sqlx::query("SELECT telemetry_add_segment_day($1)").bind(day).execute(&mut *db).await?;
    }
    Ok(())
}

/// Returns the keys of all metric sets.
pub async fn metric_sets(db: &mut PgConnection) -> Result<MetricSetKeys, Error> {
    let sets: Vec<(i32, Vec<String>)> = sqlx::query_as("SELECT id, keys FROM metric_set").fetch_all(db).await?;
    Ok(sets.into_iter().collect())
}

/// Inserts segments.
pub async fn write(db: &mut PgConnection, keys: &mut SurrogateKeys, segments: Vec<Segment>) -> Result<(), Error> {
    let mut copy = BinaryCopy::default();
    for segment in segments {
        let set = match &segment.metrics {
            Metrics::Set(set) => *set,
            Metrics::Keys(names) => keys.set(db, names.clone()).await?,
        };
        copy.row(12);
        copy.int4(segment.entity);
        copy.timestamptz(segment.hour());
        copy.int4(set);
        if segment.sources.is_empty() {
            copy.null()
        } else {
            copy.int4s(&segment.sources)
        }
        copy.int4(i32::try_from(segment.offsets.len()).unwrap_or(i32::MAX));
        copy.timestamptz(segment.starts_at);
        copy.timestamptz(segment.ends_at());
        copy.int8(segment.unit);
        copy.int4s(&segment.offsets);
        copy.float8s(&segment.numbers);
        for extras in [segment.others, segment.flaws] {
            copy.jsonb_or_null(extras.map(|extras| serde_json::Value::Object(extras).to_string()).as_deref());
        }
    }
    copy.send(db, &format!("telemetry_segment {SEGMENT_COLUMNS}")).await?;
    Ok(())
}
