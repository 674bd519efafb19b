//! What a read model in Postgres says of itself. What does not live here: reading the log and moving checkpoints, which
//! the runner does for all of them.

use eventlog::{Message, Rejection, Source};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use crate::Error;
use crate::digest::Digest;
use crate::fact::Unreadable;
use crate::marks::Marks;

/// How many messages, and how many bytes of them, make a transaction, and how long a part of one waits for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Messages.
    pub max_messages: usize,
    /// Bytes of payloads.
    pub max_bytes: usize,
    /// Milliseconds.
    pub linger_ms: u64,
}

/// Low-rate sources: written as soon as they come.
pub const PROMPT: Pace = Pace { max_messages: 500, max_bytes: 1 << 20, linger_ms: 2 };

/// A read model in Postgres.
pub trait Projection: Send + Sync {
    /// Its name: what its reader sees.
    fn name(&self) -> &'static str;

    /// What it reads.
    fn sources(&self) -> Vec<Source>;

    /// The tables it alone writes; a rebuild empties them.
    fn tables(&self) -> &'static [&'static str];

    /// How its batches are cut.
    fn pace(&self) -> Pace {
        PROMPT
    }

    /// What must be the same after a rebuild: by default every row of its tables.
    fn digests(&self) -> Vec<Digest> {
        self.tables().iter().map(|table| Digest::of_table(table)).collect()
    }

    /// The marks it keeps per stream, for sources that may repeat values; stored with the checkpoint.
    fn marks(&mut self) -> Option<&mut Marks> {
        None
    }

    /// Makes ready, outside of the transaction, what the batch needs (partitions of days). Repeating it is harmless.
    fn prepare<'a>(&'a mut self, _db: &'a mut PgConnection, _batch: &'a [Message]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    /// Applies a batch within a transaction; answers the messages that cannot be read, which are left out.
    fn apply<'a>(
        &'a mut self,
        db: &'a mut PgConnection,
        batch: &'a [Message],
    ) -> BoxFuture<'a, Result<Vec<Rejection>, Error>>;

    /// Forgets what it holds in memory beside its tables: the transaction did not hold, or the tables were emptied.
    fn forget(&mut self) {}
}

/// Makes the answer for a message that cannot be read.
pub fn rejection(message: &Message, reason: Unreadable) -> Rejection {
    Rejection { stream: message.stream, sequence: message.sequence, reason: reason.0 }
}
