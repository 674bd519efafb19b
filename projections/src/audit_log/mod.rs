//! The audit log: one row for each domain event, to query who did what and when. Tamper evidence is the hash chain of
//! the event store.

pub mod read;
mod row;
#[cfg(test)]
mod tests;

use eventlog::{Message, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

pub use row::{AuditRow, row};

use crate::fold::decode_messages;
use crate::projection::Written;
use crate::row_batch::append;
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "audit_log";

/// The projection of this read model.
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

    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>> {
        Box::pin(async move {
            let (events, rejected) = decode_messages(batch.iter());
            let rows: Vec<AuditRow> = events.iter().map(row).collect();
            let mut transaction = db.begin().await?;
            append(&mut transaction, "audit_log", &rows).await?;
            Ok(Written { transaction, rejected })
        })
    }
}
