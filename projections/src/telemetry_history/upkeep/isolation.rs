//! Keeps the data of one entity from holding up the upkeep of the others. Hours of entities are processed together in
//! one transaction. If stored data makes it fail, the hours are halved until those that fail alone are found. They are
//! noted with the reason, left out for ten minutes, and tried again.

use chrono::{DateTime, Utc};
use eventlog::error_chain;
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};
use tracing::warn;
use uuid::Uuid;

use crate::Error;

/// An entity's surrogate key and the start of an hour.
pub type EntityHour = (i32, DateTime<Utc>);

/// Processes hours of entities within a transaction; returns whether there was anything to do.
pub type Work = for<'a> fn(&'a mut PgConnection, &'a [EntityHour]) -> BoxFuture<'a, Result<bool, Error>>;

/// Counter: hours of entities, or organisations, that a step of upkeep could not process. Label `step`.
pub const FAILURES: &str = "projections_upkeep_failures_total";

/// SQL that is true for the rows of `due` (with an entity and an hour) that have not failed lately in the step `$1`.
pub const NOT_FAILED: &str = "NOT EXISTS (SELECT FROM telemetry_failure f
    WHERE f.step = $1 AND f.entity = due.entity AND f.hour = due.hour AND f.failed_at > now() - interval '10 minutes')";

/// Processes hours of entities; returns whether there may be more to do.
pub fn process<'a>(
    db: &'a mut PgConnection,
    step: &'static str,
    hours: &'a [EntityHour],
    work: Work,
) -> BoxFuture<'a, Result<bool, Error>> {
    Box::pin(async move {
        let error = match together(db, step, hours, work).await {
            Err(error) if error.is_of_data() => error,
            done => return done,
        };
        match hours {
            [] => return Err(error),
            [hour] => note(db, step, *hour, &error).await?,
            _ => {
                let (first, second) = hours.split_at(hours.len() / 2);
                process(db, step, first, work).await?;
                process(db, step, second, work).await?;
            }
        }
        Ok(true)
    })
}

async fn together(db: &mut PgConnection, step: &'static str, hours: &[EntityHour], work: Work) -> Result<bool, Error> {
    if hours.is_empty() {
        return Ok(false);
    }
    let mut transaction = db.begin().await?;
    let done = work(&mut transaction, hours).await?;
    let (entities, starts): (Vec<i32>, Vec<DateTime<Utc>>) = hours.iter().copied().unzip();
    let sql = "DELETE FROM telemetry_failure f USING unnest($2::integer[], $3::timestamptz[]) AS p (entity, hour)
        WHERE f.step = $1 AND f.entity = p.entity AND f.hour = p.hour";
    sqlx::query(sql).bind(step).bind(entities).bind(starts).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(done)
}

/// Notes that an hour of an entity failed.
pub async fn note(db: &mut PgConnection, step: &str, (entity, hour): EntityHour, error: &Error) -> Result<(), Error> {
    let reason = error_chain(error);
    let sql = "INSERT INTO telemetry_failure (entity, hour, step, reason, failed_at) VALUES ($1, $2, $3, $4, now())
        ON CONFLICT (entity, hour, step) DO UPDATE SET reason = excluded.reason, failed_at = excluded.failed_at
        RETURNING (SELECT e.entity_id FROM telemetry_entity e WHERE e.key = $1)";
    let id = sqlx::query_scalar(sql).bind(entity).bind(hour).bind(step).bind(&reason);
    let id: Option<Uuid> = id.fetch_one(db).await?;
    metrics::counter!(FAILURES, "step" => step.to_owned()).increment(1);
    warn!(step, entity = ?id, %hour, error = reason, "an hour cannot be processed; will retry");
    Ok(())
}
