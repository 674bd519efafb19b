//! The trait that a read model in PostgreSQL implements. Reading the log and moving checkpoints is the same for all of
//! them and lives in `runner`.

use eventlog::{Message, Rejection, Source};
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::Error;
use crate::decoded_event::Unreadable;
use crate::digest::Digest;
use crate::origin_marks::OriginMarks;

/// The limits of a batch, which is written in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// At most this many messages.
    pub max_messages: usize,
    /// At most this many bytes of payload.
    pub max_bytes: usize,
    /// How long, in milliseconds, an incomplete batch waits for more messages.
    pub linger_ms: u64,
}

/// For streams with few messages: written almost as soon as they arrive.
pub const LOW_LATENCY: BatchLimits = BatchLimits { max_messages: 500, max_bytes: 1 << 20, linger_ms: 2 };

/// A batch that has been written but not committed.
pub struct Written<'c> {
    /// The transaction; the runner moves the checkpoint in it and commits.
    pub transaction: Transaction<'c, Postgres>,
    /// The messages that cannot be read. If there are any, the runner rolls the transaction back.
    pub rejected: Vec<Rejection>,
}

/// A read model in PostgreSQL.
pub trait Projection: Send + Sync {
    /// Returns its name, which says what its readers see.
    fn name(&self) -> &'static str;

    /// Returns the streams that it reads.
    fn sources(&self) -> Vec<Source>;

    /// Returns the tables that it alone writes; a rebuild empties them.
    fn tables(&self) -> &'static [&'static str];

    /// Returns the limits of its batches.
    fn batch_limits(&self) -> BatchLimits {
        LOW_LATENCY
    }

    /// Returns what must be equal after a rebuild: by default every row of its tables.
    fn digests(&self) -> Vec<Digest> {
        self.tables().iter().map(|table| Digest::of_table(table)).collect()
    }

    /// Returns its origin marks, if its sources may repeat values; they are stored with the checkpoint.
    fn marks(&mut self) -> Option<&mut OriginMarks> {
        None
    }

    /// Writes a batch in a new transaction on `db`, and returns the transaction uncommitted. What the batch needs that
    /// must outlive a rollback, such as partitions, is created before the transaction begins.
    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>>;

    /// Drops what it holds in memory besides its tables: a transaction was rolled back, or the tables were emptied.
    fn forget(&mut self) {}
}

/// Rejects a message that cannot be read.
pub fn rejection(message: &Message, reason: Unreadable) -> Rejection {
    Rejection { stream: message.stream, sequence: message.sequence, reason: reason.0 }
}
