//! Background maintenance of the history: recomputes dirty hours, compacts old hours into segments, merges late
//! readings into them, and removes expired data. It runs in steps on its own connection, and needs nothing from the log
//! but the time that the writer stored.

mod compact;
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

/// Runs one step of what is due, in one transaction; returns whether there may be more. Errors if another connection
/// holds the lock for longer than `lock_timeout`.
pub fn upkeep(db: &mut PgConnection) -> BoxFuture<'_, Result<bool, Error>> {
    Box::pin(async move {
        sqlx::query(LOCK).execute(&mut *db).await?;
        // The order matters: hours are recomputed while their readings are still rows, and expired data is removed once
        // it is in segments.
        Ok(recompute::run_step(db).await?
            || compact::run_step(db).await?
            || merge_late::run_step(db).await?
            || retention::run_step(db).await?)
    })
}
