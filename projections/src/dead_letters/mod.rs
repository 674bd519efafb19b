//! Dead letters: rejected messages with the reason, and what users decided about them. Decisions are commands
//! (`domain::dead_letter`).

mod fold;
pub mod read;
#[cfg(test)]
mod tests;

use eventlog::{Message, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

pub use fold::{LetterRow, SettledRow, letters_of, settled};

use crate::fold::decode_messages;
use crate::projection::{Written, rejection};
use crate::row_batch::append;
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "dead_letters";

/// The projection of this read model.
#[derive(Default)]
pub struct DeadLetters;

impl Projection for DeadLetters {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::filtered(Stream::Es, ["*.dead_letter.>"]), Source::all(Stream::TelemetryDlq)]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["dead_letters", "dead_letters_settled"]
    }

    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>> {
        Box::pin(async move {
            let of = |stream: Stream| batch.iter().filter(move |message| message.stream == stream);
            let (events, mut rejected) = decode_messages(of(Stream::Es));
            let decided: Vec<SettledRow> = events.iter().filter_map(settled).collect();
            let mut letters: Vec<LetterRow> = Vec::new();
            for message in of(Stream::TelemetryDlq) {
                match letters_of(message) {
                    Ok(rows) => letters.extend(rows),
                    Err(reason) => rejected.push(rejection(message, reason)),
                }
            }
            let mut transaction = db.begin().await?;
            append(&mut transaction, "dead_letters", &letters).await?;
            append(&mut transaction, "dead_letters_settled", &decided).await?;
            Ok(Written { transaction, rejected })
        })
    }
}
