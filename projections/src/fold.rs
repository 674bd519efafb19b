//! Read models that are nothing but a pure fold of domain events over rows: what each says of itself, and what is common
//! to all. What does not live here: read models with sources of other kinds; they implement `Projection` themselves.

use std::marker::PhantomData;

use eventlog::{Message, Rejection, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use crate::Error;
use crate::fact::{Fact, facts};
use crate::projection::{Projection, rejection};
use crate::sheet::AnySheet;

/// A read model that folds domain events.
pub trait Fold: Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;
    /// The streams of domain events it reads.
    const SOURCES: &'static [Stream];
    /// Its tables.
    const TABLES: &'static [&'static str];
    /// Its rows in hand.
    type Sheets: Default + Send;

    /// Lists its sheets.
    fn sheets(sheets: &mut Self::Sheets) -> Vec<&mut dyn AnySheet>;

    /// Notes the rows that the fold of this event will look at.
    fn touch(sheets: &mut Self::Sheets, fact: &Fact);

    /// Folds one event into the rows. Pure.
    fn fold(sheets: &mut Self::Sheets, fact: &Fact);
}

/// A fold as a projection.
pub struct Folded<F>(PhantomData<F>);

impl<F> Default for Folded<F> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<F: Fold> Projection for Folded<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn sources(&self) -> Vec<Source> {
        F::SOURCES.iter().map(|stream| Source { stream: *stream, filters: Vec::new() }).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        F::TABLES
    }

    fn apply<'a>(
        &'a mut self,
        db: &'a mut PgConnection,
        batch: &'a [Message],
    ) -> BoxFuture<'a, Result<Vec<Rejection>, Error>> {
        Box::pin(async move {
            let (facts, refused) = read_facts(batch.iter());
            let mut sheets = F::Sheets::default();
            fold_facts::<F>(db, &mut sheets, &facts).await?;
            Ok(refused)
        })
    }
}

/// Loads what the events touch, folds them, stores what they changed.
pub async fn fold_facts<F: Fold>(db: &mut PgConnection, sheets: &mut F::Sheets, facts: &[Fact]) -> Result<(), Error> {
    facts.iter().for_each(|fact| F::touch(sheets, fact));
    for sheet in F::sheets(sheets) {
        sheet.load(db).await?;
    }
    facts.iter().for_each(|fact| F::fold(sheets, fact));
    for sheet in F::sheets(sheets) {
        sheet.store(db).await?;
    }
    Ok(())
}

/// Reads the domain events of messages; those that cannot be read are listed with the reason.
pub fn read_facts<'a>(messages: impl Iterator<Item = &'a Message>) -> (Vec<Fact>, Vec<Rejection>) {
    let mut read = Vec::new();
    let mut refused = Vec::new();
    for message in messages {
        match facts(message) {
            Ok(facts) => read.extend(facts),
            Err(reason) => refused.push(rejection(message, reason)),
        }
    }
    (read, refused)
}
