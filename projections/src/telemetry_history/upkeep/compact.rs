//! Compacts a partition of readings into segments. PostgreSQL sorts the rows, so neither memory nor random reads limit
//! the size of an hour.

use std::time::Instant;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};
use tracing::info;

use super::segment_store::{self, READING_COLUMNS, ReadingRow};
use super::{isolation, merge_late};
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

/// A partition of readings.
struct Span {
    name: String,
    from_time: DateTime<Utc>,
    until_time: DateTime<Utc>,
}

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
    let Some((name, from_time, until_time)) = due else { return Ok(false) };
    let span = Span { name, from_time, until_time };
    segment_store::create_segment_days(db, [span.from_time.date_naive()].into()).await?;
    match compact(db, &span).await {
        Err(error) if error.is_of_data() => set_failing_aside(db, &span, error).await?,
        done => done?,
    }
    Ok(true)
}

async fn compact(db: &mut PgConnection, span: &Span) -> Result<(), Error> {
    let begun = Instant::now();
    let mut transaction = db.begin().await?;
    segment_store::use_snapshot(&mut transaction).await?;
    let (rows, made) = segments_of(&mut transaction, span, None).await?;
    sqlx::query(&format!("DELETE FROM {}", span.late())).execute(&mut *transaction).await?;
    sqlx::query("SELECT telemetry_drop_span($1)").bind(&span.name).execute(&mut *transaction).await?;
    transaction.commit().await?;
    if rows > 0 {
        let seconds = begun.elapsed().as_secs_f64();
        info!(from = %span.from_time, rows, segments = made, seconds, "compacted readings");
    }
    Ok(())
}

/// Moves the readings of entities that cannot be compacted to the late readings, where they do not hold up the others:
/// `merge_late` tries each hour again. Errors if no entity fails alone.
async fn set_failing_aside(db: &mut PgConnection, span: &Span, error: Error) -> Result<(), Error> {
    let late = span.late();
    let sql = format!("SELECT entity FROM {} UNION SELECT l.entity FROM {late} ORDER BY entity", span.name);
    let entities: Vec<i32> = sqlx::query_scalar(&sql).fetch_all(&mut *db).await?;
    let failing = failing(db, span, &entities).await?;
    if failing.is_empty() {
        return Err(error);
    }
    for (entity, error) in failing {
        let mut transaction = db.begin().await?;
        let sql = format!(
            "INSERT INTO telemetry_late (entity, measured_at, metric_set, numbers, others, flaws, sources, position)
             SELECT {READING_COLUMNS} FROM {} WHERE entity = $1",
            span.name
        );
        sqlx::query(&sql).bind(entity).execute(&mut *transaction).await?;
        let sql = format!("DELETE FROM {} WHERE entity = $1", span.name);
        sqlx::query(&sql).bind(entity).execute(&mut *transaction).await?;
        let sql = format!(
            "SELECT DISTINCT date_trunc('hour', l.measured_at, 'UTC') FROM {late} AND l.entity = $1 ORDER BY 1"
        );
        let hours: Vec<DateTime<Utc>> = sqlx::query_scalar(&sql).bind(entity).fetch_all(&mut *transaction).await?;
        for hour in hours {
            isolation::note(&mut transaction, merge_late::STEP, (entity, hour), &error).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// Returns which of these entities, given in order, cannot be compacted, and why.
fn failing<'a>(
    db: &'a mut PgConnection,
    span: &'a Span,
    entities: &'a [i32],
) -> BoxFuture<'a, Result<Vec<(i32, Error)>, Error>> {
    Box::pin(async move {
        let (Some(first), Some(last)) = (entities.first(), entities.last()) else { return Ok(Vec::new()) };
        let mut trial = db.begin().await?;
        segment_store::use_snapshot(&mut trial).await?;
        let tried = segments_of(&mut trial, span, Some((*first, *last))).await;
        trial.rollback().await?;
        match tried {
            Ok(_) => Ok(Vec::new()),
            Err(error) if !error.is_of_data() => Err(error),
            Err(error) if entities.len() == 1 => Ok(vec![(*first, error)]),
            Err(_) => {
                let (lower, upper) = entities.split_at(entities.len() / 2);
                let mut failing = self::failing(db, span, lower).await?;
                failing.extend(self::failing(db, span, upper).await?);
                Ok(failing)
            }
        }
    })
}

/// Writes the segments, of a range of entities (inclusive) or of all; returns the number of readings and of segments.
async fn segments_of(
    db: &mut PgConnection,
    span: &Span,
    entities: Option<(i32, i32)>,
) -> Result<(usize, usize), Error> {
    let mut cutter =
        SegmentCutter { sets: segment_store::metric_sets(db).await?, open: Vec::new(), segments: Vec::new() };
    // All rows are fetched, so plan for the total cost instead of a fast first row.
    for setting in ["SET LOCAL cursor_tuple_fraction = 1", "SET LOCAL work_mem = '64MB'"] {
        sqlx::query(setting).execute(&mut *db).await?;
    }
    let (first, last) = entities.unwrap_or((i32::MIN, i32::MAX));
    // DECLARE CURSOR takes no bind parameters; name, times and keys come from the database, not from users.
    let declare = format!(
        "DECLARE compacted NO SCROLL CURSOR FOR
         SELECT * FROM (
            SELECT {READING_COLUMNS} FROM {} UNION ALL SELECT {READING_COLUMNS} FROM {}) AS r
         WHERE entity BETWEEN {first} AND {last}
         ORDER BY entity, measured_at",
        span.name,
        span.late()
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

impl Span {
    /// Returns, as SQL to select from, the late readings `l` of the time of the partition, except those of hours that
    /// `merge_late` could not merge.
    fn late(&self) -> String {
        format!(
            "telemetry_late l WHERE l.measured_at >= '{}' AND l.measured_at < '{}' AND NOT EXISTS (
                SELECT FROM telemetry_failure f WHERE f.step = '{}' AND f.entity = l.entity
                    AND f.hour = date_trunc('hour', l.measured_at, 'UTC'))",
            self.from_time,
            self.until_time,
            merge_late::STEP
        )
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
