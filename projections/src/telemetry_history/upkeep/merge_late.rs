//! Merges late readings of hours that are already compacted into their segments.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::isolation::{self, EntityHour, NOT_FAILED};
use super::segment_store::{self, READING_COLUMNS, ReadingRow, SegmentRow};
use crate::Error;
use crate::telemetry_history::hour_aggregates::{COMPACTED_AFTER_HOURS, hour_of};
use crate::telemetry_history::merged_reading::StoredReading;
use crate::telemetry_history::segment::{Segment, segments};
use crate::telemetry_history::surrogate_keys::SurrogateKeys;

/// The name of this step.
pub const STEP: &str = "merge_late";

/// Hours of entities per transaction. Each may take some megabytes of memory.
const MAX_PER_TRANSACTION: i64 = 100;

/// Hours of entities that have late readings but no partition of readings any more. `$1` the step, `$2` hours, `$3` the
/// limit.
const DUE: &str = "SELECT due.entity, due.hour FROM (
        SELECT DISTINCT l.entity, date_trunc('hour', l.measured_at, 'UTC') AS hour
        FROM telemetry_late l
        WHERE l.measured_at < (SELECT closed_before - make_interval(hours => $2) FROM telemetry_watermark)
          AND NOT EXISTS (SELECT FROM telemetry_spans() AS s
            WHERE l.measured_at >= s.from_time AND l.measured_at < s.until_time)) AS due
    WHERE ";

/// Those hours as a table expression.
const ENTITY_HOURS: &str = "unnest($1::integer[], $2::timestamptz[]) AS p (entity, hour)";

/// Entities and hours, as parallel arrays for the statements.
struct EntityHours {
    entities: Vec<i32>,
    hours: Vec<DateTime<Utc>>,
}

/// Merges some late readings; returns whether there were any.
pub async fn run_step(db: &mut PgConnection) -> Result<bool, Error> {
    let sql = format!("{DUE}{NOT_FAILED} ORDER BY due.hour, due.entity LIMIT $3");
    let after = i32::try_from(COMPACTED_AFTER_HOURS).unwrap_or(i32::MAX);
    let due = sqlx::query_as(&sql).bind(STEP).bind(after).bind(MAX_PER_TRANSACTION);
    let due: Vec<EntityHour> = due.fetch_all(&mut *db).await?;
    segment_store::create_segment_days(db, due.iter().map(|(_, hour)| hour.date_naive()).collect()).await?;
    isolation::process(db, STEP, &due, |db, hours| Box::pin(merge(db, hours))).await
}

async fn merge(db: &mut PgConnection, hours: &[EntityHour]) -> Result<bool, Error> {
    let (entities, hours) = hours.iter().copied().unzip();
    let entity_hours = EntityHours { entities, hours };
    segment_store::use_snapshot(db).await?;
    let sets = segment_store::metric_sets(db).await?;
    let mut readings = late(db, &entity_hours).await?;
    for segment in stored(db, &entity_hours).await? {
        readings.entry((segment.entity, segment.hour())).or_default().extend(segment.readings());
    }
    let mut made = Vec::new();
    for mut readings in readings.into_values() {
        readings.sort_by_key(|reading| reading.measured_at);
        made.extend(segments(readings, &sets));
    }
    entity_hours.remove(db).await?;
    segment_store::write(db, &mut SurrogateKeys::default(), made).await?;
    Ok(true)
}

type ReadingsByHour = BTreeMap<(i32, i64), Vec<StoredReading>>;

async fn late(db: &mut PgConnection, entity_hours: &EntityHours) -> Result<ReadingsByHour, Error> {
    let sql = format!(
        "SELECT {} FROM {ENTITY_HOURS} JOIN telemetry_late l
         ON l.entity = p.entity AND l.measured_at >= p.hour AND l.measured_at < p.hour + interval '1 hour'",
        READING_COLUMNS.replace("entity", "l.entity")
    );
    let rows: Vec<ReadingRow> =
        sqlx::query_as(&sql).bind(&entity_hours.entities).bind(&entity_hours.hours).fetch_all(db).await?;
    let mut readings = ReadingsByHour::new();
    for row in rows {
        let reading = segment_store::reading_of(row);
        readings.entry((reading.entity, hour_of(reading.measured_at))).or_default().push(reading);
    }
    Ok(readings)
}

async fn stored(db: &mut PgConnection, entity_hours: &EntityHours) -> Result<Vec<Segment>, Error> {
    let sql = format!(
        "SELECT g.* FROM {ENTITY_HOURS} JOIN telemetry_segment g ON g.entity = p.entity AND g.hour = p.hour {WITHIN}"
    );
    let bound = sqlx::query_as::<_, SegmentRow>(&sql).bind(&entity_hours.entities).bind(&entity_hours.hours);
    let stored = bound.bind(entity_hours.hours.first()).bind(entity_hours.hours.last()).fetch_all(db).await?;
    Ok(stored.into_iter().map(Segment::from).collect())
}

/// Restricts the search to the partitions of these hours. `$3` the first hour, `$4` the last.
const WITHIN: &str = "AND g.hour >= $3 AND g.hour <= $4";

impl EntityHours {
    async fn remove(&self, db: &mut PgConnection) -> Result<(), Error> {
        let sql = format!(
            "DELETE FROM telemetry_segment g USING {ENTITY_HOURS} WHERE g.entity = p.entity AND g.hour = p.hour {WITHIN}"
        );
        let bound = sqlx::query(&sql).bind(&self.entities).bind(&self.hours);
        bound.bind(self.hours.first()).bind(self.hours.last()).execute(&mut *db).await?;
        let sql = format!(
            "DELETE FROM telemetry_late l USING {ENTITY_HOURS}
             WHERE l.entity = p.entity AND l.measured_at >= p.hour AND l.measured_at < p.hour + interval '1 hour'"
        );
        sqlx::query(&sql).bind(&self.entities).bind(&self.hours).execute(db).await?;
        Ok(())
    }
}
