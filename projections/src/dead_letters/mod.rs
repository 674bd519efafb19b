//! What was refused on its way, with the reason, and what people decided about it. What does not live here: deciding.

mod fold;
pub mod read;
#[cfg(test)]
mod tests;

use eventlog::{Message, Rejection, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

pub use fold::{LetterRow, SettledRow, letters_of, settled};

use crate::fold::decode_messages;
use crate::projection::rejection;
use crate::row_batch::append;
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "dead_letters";

/// The projection.
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

    fn apply<'a>(
        &'a mut self,
        db: &'a mut PgConnection,
        batch: &'a [Message],
    ) -> BoxFuture<'a, Result<Vec<Rejection>, Error>> {
        Box::pin(async move {
            let of = |stream: Stream| batch.iter().filter(move |message| message.stream == stream);
            let (events, mut refused) = decode_messages(of(Stream::Es));
            let decided: Vec<SettledRow> = events.iter().filter_map(settled).collect();
            let mut letters: Vec<LetterRow> = Vec::new();
            for message in of(Stream::TelemetryDlq) {
                match letters_of(message) {
                    Ok(rows) => letters.extend(rows),
                    Err(reason) => refused.push(rejection(message, reason)),
                }
            }
            append(db, "dead_letters", &letters).await?;
            append(db, "dead_letters_settled", &decided).await?;
            Ok(refused)
        })
    }
}
