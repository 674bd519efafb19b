//! What keeps the history small and its aggregates right, beside the writing of new readings: hours are made again,
//! readings of hours that are long over become segments, and what is over for its organisation goes. It runs on a
//! connection of its own, a part at a time, and needs nothing of the log but the time that the writer noted.

mod compact;
mod merge_late;
mod recompute;
mod retention;
mod segment_store;

use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use crate::Error;

/// How long after its end an hour is compacted at the earliest: most of what is late has come by then.
pub const COMPACTED_AFTER_HOURS: i64 = 2;

/// Two at once would compact the same readings; the lock ends with the connection. It is waited for, as long as the
/// connection's `lock_timeout` allows: whoever was before may be at its last part.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('argusiq.upkeep.telemetry_history', 0))";

/// Does a part of what is due; tells whether there may be more. Each part is a transaction. Fails where another connection
/// keeps at it for longer than `lock_timeout`.
pub fn upkeep(db: &mut PgConnection) -> BoxFuture<'_, Result<bool, Error>> {
    Box::pin(async move {
        sqlx::query(LOCK).execute(&mut *db).await?;
        // In this order: hours are made again while their readings are rows, and what goes is in segments.
        Ok(recompute::run_step(db).await?
            || compact::run_step(db).await?
            || merge_late::run_step(db).await?
            || retention::run_step(db).await?)
    })
}
