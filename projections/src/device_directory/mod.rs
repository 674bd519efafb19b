//! The directory of devices: their details and their connectivity. Certificates, links and telemetry have read models
//! of their own.

mod fold;
pub(crate) mod presence;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

use domain::telemetry::{PresenceFact, PresenceKind};
use eventlog::{Message, Rejection, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

pub use fold::Devices;
pub(crate) use fold::object;
pub use row::{ConnectivityRow, DeviceRow};

use crate::fold::{decode_messages, fold_events};
use crate::projection::{Written, rejection};
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "device_directory";

/// The projection of this read model.
#[derive(Default)]
pub struct DeviceDirectory;

impl Projection for DeviceDirectory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::all(Stream::Es), Source::all(Stream::Presence)]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["devices", "device_connectivity"]
    }

    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>> {
        Box::pin(async move {
            let is_domain = |message: &&Message| message.stream == Stream::Es;
            let (events, mut rejected) = decode_messages(batch.iter().filter(is_domain));
            let (seen, unreadable) = presence_facts(batch.iter().filter(|message| !is_domain(message)));
            rejected.extend(unreadable);
            let mut transaction = db.begin().await?;
            fold_events::<fold::Devices>(&mut transaction, &mut RowBatch::default(), &events).await?;
            fold_presence(&mut transaction, &seen).await?;
            Ok(Written { transaction, rejected })
        })
    }
}

async fn fold_presence(db: &mut PgConnection, seen: &[PresenceFact]) -> Result<(), Error> {
    let mut rows = RowBatch::<ConnectivityRow>::default();
    seen.iter().filter_map(|fact| fact.device).for_each(|device| rows.request(device.0));
    rows.load(db).await?;
    let lost = seen.iter().filter(|fact| fact.kind == PresenceKind::EdgeLost);
    let lost: Vec<String> = lost.map(|fact| fact.edge.clone()).collect();
    if !lost.is_empty() {
        rows.load_where(db, "connectivity = 'online' AND edge = ANY($1)", &lost).await?;
    }
    seen.iter().for_each(|fact| presence::fold(&mut rows, fact));
    rows.store(db).await
}

/// Parses presence facts; a message that cannot be read is rejected.
pub(crate) fn presence_facts<'a>(messages: impl Iterator<Item = &'a Message>) -> (Vec<PresenceFact>, Vec<Rejection>) {
    let (mut seen, mut refused) = (Vec::new(), Vec::new());
    for message in messages {
        match serde_json::from_slice::<Vec<PresenceFact>>(&message.payload) {
            Ok(facts) => seen.extend(facts),
            Err(error) => refused.push(rejection(message, crate::decoded_event::Unreadable(error.to_string()))),
        }
    }
    (seen, refused)
}
