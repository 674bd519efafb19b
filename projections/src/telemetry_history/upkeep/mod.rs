//! Background maintenance of the history: recomputes dirty hours, compacts old hours into segments, merges late
//! readings into them, and removes expired data. It runs in steps on its own connection, and needs nothing from the log
//! but the time that the writer stored.

mod compact;
mod isolation;
mod merge_late;
mod recompute;
mod retention;
mod segment_store;

use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use crate::Error;

/// Prevents two processes from compacting the same readings; the lock ends with the connection. Acquiring waits up to
/// the connection's `lock_timeout`, since the previous owner may be finishing its last step.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('argusiq.upkeep.telemetry_history', 0))";

/// Does some of what is due; returns whether there was anything.
type Step = for<'a> fn(&'a mut PgConnection) -> BoxFuture<'a, Result<bool, Error>>;

const STEPS: [Step; 4] = [
    |db| Box::pin(recompute::run_step(db)),
    |db| Box::pin(compact::run_step(db)),
    |db| Box::pin(merge_late::run_step(db)),
    |db| Box::pin(retention::run_step(db)),
];

/// Runs one step of what is due, in one transaction; returns whether there may be more. A step that fails does not keep
/// the later ones from running; its error is returned when nothing else is due. Errors if another connection holds the
/// lock for longer than `lock_timeout`.
pub fn upkeep(db: &mut PgConnection) -> BoxFuture<'_, Result<bool, Error>> {
    Box::pin(async move {
        sqlx::query(LOCK).execute(&mut *db).await?;
        // The order matters: hours are recomputed while their readings are still rows, and expired data is removed once
        // it is in segments.
        let mut failed = Ok(false);
        for step in STEPS {
            match step(db).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed
    })
}
