//! Rows and segments out of their tables and into them.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, Row as _};

use crate::Error;
use crate::copy::{Copy, micros};
use crate::telemetry_history::keys::Keys;
use crate::telemetry_history::line::{Line, Metrics, Object, Sets};
use crate::telemetry_history::segment::Segment;

const COLUMNS: &str =
    "(entity, hour, metric_set, sources, count, starts_at, ends_at, unit, offsets, numbers, others, flaws)";

/// Columns of a row, as [`Row`] reads them.
pub const ROW: &str = "entity, measured_at, metric_set, numbers, others, flaws, sources, coalesce(position, 0)
    AS position";

/// A row of readings, by the places of its columns: there are many, and names would be looked up for each.
pub type Row = (i32, DateTime<Utc>, i32, Vec<f64>, Option<Json<Object>>, Option<Json<Object>>, Option<Vec<i32>>, i64);

/// A segment as it stands in its table.
pub struct Stored {
    entity: i32,
    metric_set: i32,
    sources: Option<Vec<i32>>,
    starts_at: DateTime<Utc>,
    unit: i64,
    offsets: Vec<i32>,
    numbers: Vec<f64>,
    others: Option<Json<Object>>,
    flaws: Option<Json<Object>>,
}

impl FromRow<'_, PgRow> for Stored {
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

/// Returns a row as a reading.
pub fn line((entity, measured_at, set, numbers, others, flaws, sources, position): Row) -> Line {
    Line {
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

impl From<Stored> for Segment {
    fn from(stored: Stored) -> Self {
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

/// Begins what sees one moment of all tables from here to its end.
pub async fn one_moment(db: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(db).await?;
    Ok(())
}

/// Makes the partitions of segments of these days.
pub async fn make_days(db: &mut PgConnection, days: BTreeSet<NaiveDate>) -> Result<(), Error> {
    for day in days {
        sqlx::query("SELECT telemetry_add_segment_day($1)").bind(day).execute(&mut *db).await?;
    }
    Ok(())
}

/// Returns the keys of all metric sets.
pub async fn sets(db: &mut PgConnection) -> Result<Sets, Error> {
    let sets: Vec<(i32, Vec<String>)> = sqlx::query_as("SELECT id, keys FROM metric_set").fetch_all(db).await?;
    Ok(sets.into_iter().collect())
}

/// Adds segments to their table.
pub async fn write(db: &mut PgConnection, keys: &mut Keys, segments: Vec<Segment>) -> Result<(), Error> {
    let mut copy = Copy::default();
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
    copy.send(db, &format!("telemetry_segment {COLUMNS}")).await?;
    Ok(())
}
