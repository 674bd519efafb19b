//! Read models that are pure folds of domain events over rows: the trait each implements, and the projection common to
//! all. Read models with other sources implement `Projection` themselves.

use std::marker::PhantomData;

use eventlog::{Message, Rejection, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

use crate::Error;
use crate::decoded_event::{DecodedEvent, decode_message};
use crate::projection::{Projection, Written, rejection};
use crate::row_batch::AnyRowBatch;

/// A read model that folds domain events.
pub trait Fold: Send + Sync + 'static {
    /// The projection's name.
    const NAME: &'static str;
    /// The streams of domain events that it reads.
    const SOURCES: &'static [Stream];
    /// The tables that it writes.
    const TABLES: &'static [&'static str];
    /// The rows of its tables that a batch has loaded.
    type Rows: Default + Send;

    /// Lists the row batch of each table.
    fn row_batches(rows: &mut Self::Rows) -> Vec<&mut dyn AnyRowBatch>;

    /// Requests the rows that folding this event needs.
    fn request_rows(rows: &mut Self::Rows, decoded: &DecodedEvent);

    /// Folds one event into the rows. Pure.
    fn fold(rows: &mut Self::Rows, decoded: &DecodedEvent);
}

/// The projection of a fold.
pub struct FoldProjection<F>(PhantomData<F>);

impl<F> Default for FoldProjection<F> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<F: Fold> Projection for FoldProjection<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn sources(&self) -> Vec<Source> {
        F::SOURCES.iter().map(|stream| Source { stream: *stream, filters: Vec::new() }).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        F::TABLES
    }

    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>> {
        Box::pin(async move {
            let (events, rejected) = decode_messages(batch.iter());
            let mut rows = F::Rows::default();
            let mut transaction = db.begin().await?;
            fold_events::<F>(&mut transaction, &mut rows, &events).await?;
            Ok(Written { transaction, rejected })
        })
    }
}

/// Loads the rows that the events touch, folds the events, and stores the rows that changed.
pub async fn fold_events<F: Fold>(
    db: &mut PgConnection,
    rows: &mut F::Rows,
    events: &[DecodedEvent],
) -> Result<(), Error> {
    events.iter().for_each(|decoded| F::request_rows(rows, decoded));
    for batch in F::row_batches(rows) {
        batch.load(db).await?;
    }
    events.iter().for_each(|decoded| F::fold(rows, decoded));
    for batch in F::row_batches(rows) {
        batch.store(db).await?;
    }
    Ok(())
}

/// Decodes the domain events of messages; a message that cannot be decoded is rejected with the reason.
pub fn decode_messages<'a>(messages: impl Iterator<Item = &'a Message>) -> (Vec<DecodedEvent>, Vec<Rejection>) {
    let mut decoded = Vec::new();
    let mut rejected = Vec::new();
    for message in messages {
        match decode_message(message) {
            Ok(events) => decoded.extend(events),
            Err(reason) => rejected.push(rejection(message, reason)),
        }
    }
    (decoded, rejected)
}
