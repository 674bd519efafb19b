//! Removes expired data: days that no organisation keeps are dropped as partitions; where one organisation keeps less
//! than another, its rows are deleted.

use chrono::{DateTime, NaiveDate, Utc};
use domain::organization::DEFAULT_RETENTION_DAYS;
use eventlog::error_chain;
use sqlx::{Connection, PgConnection};
use tracing::warn;
use uuid::Uuid;

use super::isolation::FAILURES;
use crate::Error;
use crate::telemetry_history::retention::first_kept;

/// At most this many segments are deleted per transaction.
const MAX_PER_TRANSACTION: u64 = 20_000;

/// The organisations with a shorter retention than the longest and with expired data in segments. `$1` the longest
/// retention, `$2` today, `$3` the first day that is not yet in segments.
const DUE: &str = "SELECT organization_id, kept_days, removed_before FROM telemetry_retention
    WHERE kept_days < $1 AND (removed_before IS NULL OR removed_before < least($2::date - kept_days, $3))
    ORDER BY organization_id";

/// Removes some expired data; returns whether there may be more.
pub async fn run_step(db: &mut PgConnection) -> Result<bool, Error> {
    let sql = "SELECT closed_before FROM telemetry_watermark";
    let closed: Option<DateTime<Utc>> = sqlx::query_scalar(sql).fetch_optional(&mut *db).await?;
    let Some(today) = closed.map(|closed| closed.date_naive()) else { return Ok(false) };
    let longest = longest(db).await?;
    if drop_days(db, today, longest).await? {
        return Ok(true);
    }
    let sql = "SELECT min((from_time AT TIME ZONE 'UTC')::date) FROM telemetry_spans()";
    let uncompacted: Option<NaiveDate> = sqlx::query_scalar(sql).fetch_one(&mut *db).await?;
    let uncompacted = uncompacted.unwrap_or(today);
    let due = sqlx::query_as(DUE).bind(longest.cast_signed()).bind(today).bind(uncompacted);
    let due: Vec<(Uuid, i32, Option<NaiveDate>)> = due.fetch_all(&mut *db).await?;
    let mut removed = false;
    for (organization, days, removed_before) in due {
        let Some(until) = first_kept(today, days.unsigned_abs()) else { continue };
        let mut transaction = db.begin().await?;
        match remove(&mut transaction, organization, removed_before, until.min(uncompacted)).await {
            Err(error) if error.is_of_data() => {
                metrics::counter!(FAILURES, "step" => "retention").increment(1);
                warn!(%organization, error = error_chain(&error), "cannot remove expired telemetry; will retry");
            }
            done => {
                done?;
                transaction.commit().await?;
                removed = true;
            }
        }
    }
    Ok(removed)
}

/// Drops the days that no organisation keeps; returns whether there were any.
async fn drop_days(db: &mut PgConnection, today: NaiveDate, longest: u32) -> Result<bool, Error> {
    let Some(first) = first_kept(today, longest) else { return Ok(false) };
    let sql = "SELECT EXISTS (SELECT FROM telemetry_days_before($1))";
    let over: bool = sqlx::query_scalar(sql).bind(first).fetch_one(&mut *db).await?;
    if over {
        sqlx::query("SELECT telemetry_drop_days_before($1)").bind(first).execute(&mut *db).await?;
        let sql = "DELETE FROM telemetry_failure WHERE hour < $1::timestamp AT TIME ZONE 'UTC'";
        sqlx::query(sql).bind(first).execute(db).await?;
    }
    Ok(over)
}

/// Returns the longest retention, in days, of an organisation with telemetry. One without a stored choice counts with
/// the default.
async fn longest(db: &mut PgConnection) -> Result<u32, Error> {
    let sql = "SELECT max(coalesce(kept_days, $1)) FROM (SELECT DISTINCT organization_id FROM telemetry_entity) e
        LEFT JOIN telemetry_retention USING (organization_id)";
    let longest: Option<i32> = sqlx::query_scalar(sql).bind(DEFAULT_RETENTION_DAYS.cast_signed()).fetch_one(db).await?;
    Ok(longest.map_or(DEFAULT_RETENTION_DAYS, i32::unsigned_abs))
}

/// Deletes an organisation's data from before a day; if there are many segments, only some of them.
async fn remove(
    db: &mut PgConnection,
    organization: Uuid,
    removed_before: Option<NaiveDate>,
    until: NaiveDate,
) -> Result<(), Error> {
    let sql = "SELECT key FROM telemetry_entity WHERE organization_id = $1";
    let entities: Vec<i32> = sqlx::query_scalar(sql).bind(organization).fetch_all(&mut *db).await?;
    let sql = "SELECT day FROM telemetry_days_before($1) AS day
        WHERE ($2 IS NULL OR day >= $2) AND to_regclass('telemetry_segment_' || to_char(day, 'YYYYMMDD')) IS NOT NULL";
    let days: Vec<NaiveDate> = sqlx::query_scalar(sql).bind(until).bind(removed_before).fetch_all(&mut *db).await?;
    let mut room = MAX_PER_TRANSACTION;
    let mut done = until;
    for day in days {
        room -= remove_segments(db, day, &entities, room).await?.min(room);
        if room == 0 {
            done = day;
            break;
        }
    }
    for (table, time) in [
        ("telemetry_late", "measured_at"),
        ("telemetry_hour", "hour"),
        ("telemetry_dirty_hour", "hour"),
        ("telemetry_failure", "hour"),
    ] {
        let sql = format!("DELETE FROM {table} WHERE entity = ANY($1) AND {time} < $2::timestamp AT TIME ZONE 'UTC'");
        sqlx::query(&sql).bind(&entities).bind(done).execute(&mut *db).await?;
    }
    let sql = "UPDATE telemetry_retention SET removed_before = $2 WHERE organization_id = $1";
    sqlx::query(sql).bind(organization).bind(done).execute(db).await?;
    Ok(())
}

/// Deletes up to `room` segments of one day, by row id (`ctid`); returns their number.
async fn remove_segments(db: &mut PgConnection, day: NaiveDate, entities: &[i32], room: u64) -> Result<u64, Error> {
    let table = format!("telemetry_segment_{}", day.format("%Y%m%d"));
    let places = format!("SELECT ctid FROM {table} WHERE entity = ANY($1) LIMIT $2");
    let sql = format!("DELETE FROM {table} WHERE ctid = ANY(ARRAY({places}))");
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    Ok(sqlx::query(&sql).bind(entities).bind(limit).execute(db).await?.rows_affected())
}
