//! The audit log: one row a domain event, in SQL, for whoever asks who did what and when. What does not live here: the
//! proof that the log itself is whole (the hash chain of the event store).

pub mod read;
mod row;
#[cfg(test)]
mod tests;

use eventlog::{Message, Rejection, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

pub use row::{AuditRow, row};

use crate::fold::decode_messages;
use crate::row_batch::append;
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "audit_log";

/// The projection.
#[derive(Default)]
pub struct AuditLog;

impl Projection for AuditLog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        Stream::DOMAIN.into_iter().map(Source::all).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["audit_log"]
    }

    fn apply<'a>(
        &'a mut self,
        db: &'a mut PgConnection,
        batch: &'a [Message],
    ) -> BoxFuture<'a, Result<Vec<Rejection>, Error>> {
        Box::pin(async move {
            let (events, refused) = decode_messages(batch.iter());
            let rows: Vec<AuditRow> = events.iter().map(row).collect();
            append(db, "audit_log", &rows).await?;
            Ok(refused)
        })
    }
}
