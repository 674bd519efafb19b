//! Compacts a partition of readings into segments. PostgreSQL sorts the rows, so neither memory nor random reads limit
//! the size of an hour.

use std::time::Instant;

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use tracing::info;

use super::segment_store::{self, READING_COLUMNS, ReadingRow};
use crate::Error;
use crate::telemetry_history::hour_aggregates::{COMPACTED_AFTER_HOURS, hour_of};
use crate::telemetry_history::merged_reading::{MetricSetKeys, StoredReading};
use crate::telemetry_history::segment::{Segment, segments};
use crate::telemetry_history::surrogate_keys::SurrogateKeys;

/// Rows per fetch.
const FETCHED: usize = 10_000;

/// The oldest partition that is no longer written to.
const DUE: &str = "SELECT s.name, s.from_time, s.until_time FROM telemetry_spans() AS s
    WHERE s.until_time <= (SELECT closed_before - make_interval(hours => $1) FROM telemetry_watermark)
    ORDER BY s.from_time LIMIT 1";

/// Cuts readings, which arrive ordered by entity and time, into segments.
struct SegmentCutter {
    sets: MetricSetKeys,
    /// Readings of the current entity and hour; more may follow.
    open: Vec<StoredReading>,
    segments: Vec<Segment>,
}

/// Compacts one partition and its late readings into segments, and drops it; returns whether there was one.
pub async fn run_step(db: &mut PgConnection) -> Result<bool, Error> {
    let due = sqlx::query_as(DUE).bind(i32::try_from(COMPACTED_AFTER_HOURS).unwrap_or(i32::MAX));
    let due: Option<(String, DateTime<Utc>, DateTime<Utc>)> = due.fetch_optional(&mut *db).await?;
    let Some((name, from, until)) = due else { return Ok(false) };
    let begun = Instant::now();
    segment_store::create_segment_days(db, [from.date_naive()].into()).await?;
    let mut transaction = db.begin().await?;
    segment_store::use_snapshot(&mut transaction).await?;
    let (rows, made) = segments_of(&mut transaction, &name, from, until).await?;
    let sql = "DELETE FROM telemetry_late WHERE measured_at >= $1 AND measured_at < $2";
    sqlx::query(sql).bind(from).bind(until).execute(&mut *transaction).await?;
    sqlx::query("SELECT telemetry_drop_span($1)").bind(&name).execute(&mut *transaction).await?;
    transaction.commit().await?;
    if rows > 0 {
        info!(from = %from, rows, segments = made, seconds = begun.elapsed().as_secs_f64(), "compacted readings");
    }
    Ok(true)
}

/// Writes the segments; returns the number of readings and of segments.
async fn segments_of(
    db: &mut PgConnection,
    name: &str,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(usize, usize), Error> {
    let mut cutter =
        SegmentCutter { sets: segment_store::metric_sets(db).await?, open: Vec::new(), segments: Vec::new() };
    // All rows are fetched, so plan for the total cost instead of a fast first row.
    for setting in ["SET LOCAL cursor_tuple_fraction = 1", "SET LOCAL work_mem = '64MB'"] {
        sqlx::query(setting).execute(&mut *db).await?;
    }
    // DECLARE CURSOR takes no bind parameters; name and times come from the database, not from users.
    let declare = format!(
        "DECLARE compacted NO SCROLL CURSOR FOR
         SELECT {READING_COLUMNS} FROM {name}
         UNION ALL SELECT {READING_COLUMNS} FROM telemetry_late WHERE measured_at >= '{from}' AND measured_at < '{until}'
         ORDER BY entity, measured_at"
    );
    sqlx::query(&declare).persistent(false).execute(&mut *db).await?;
    let fetch = format!("FETCH {FETCHED} FROM compacted");
    let (mut rows, mut made) = (0, 0);
    let mut keys = SurrogateKeys::default();
    loop {
        let fetched: Vec<ReadingRow> = sqlx::query_as(&fetch).fetch_all(&mut *db).await?;
        rows += fetched.len();
        let last = fetched.len() < FETCHED;
        fetched.into_iter().for_each(|row| cutter.take(segment_store::reading_of(row)));
        if last {
            cutter.cut();
        }
        let segments = std::mem::take(&mut cutter.segments);
        made += segments.len();
        segment_store::write(db, &mut keys, segments).await?;
        if last {
            sqlx::query("CLOSE compacted").execute(&mut *db).await?;
            return Ok((rows, made));
        }
    }
}

impl SegmentCutter {
    fn take(&mut self, reading: StoredReading) {
        let place = |reading: &StoredReading| (reading.entity, hour_of(reading.measured_at));
        if self.open.first().is_some_and(|open| place(open) != place(&reading)) {
            self.cut();
        }
        self.open.push(reading);
    }

    fn cut(&mut self) {
        self.segments.extend(segments(std::mem::take(&mut self.open), &self.sets));
    }
}
