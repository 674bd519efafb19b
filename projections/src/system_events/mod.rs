//! System events: breaches, offline devices, refused connections, lost edges, certificates revoked or expiring. A plain
//! list, for users and audits. Alarms, which have a lifecycle, are in `alarm_board`.

mod fold;
pub mod read;
#[cfg(test)]
mod tests;

use domain::telemetry::ThresholdEvent;
use eventlog::{Message, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

pub use fold::{SystemEventRow, of_certificate, of_presence, of_threshold, threshold_payload};

use crate::decoded_event::Unreadable;
use crate::device_directory::presence_facts;
use crate::fold::decode_messages;
use crate::projection::{Written, rejection};
use crate::row_batch::append;
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "system_events";

/// The projection of this read model.
#[derive(Default)]
pub struct SystemEvents;

impl Projection for SystemEvents {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        [Stream::Es, Stream::EventsThreshold, Stream::Presence].into_iter().map(Source::all).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["system_events"]
    }

    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>> {
        Box::pin(async move {
            let of = |stream: Stream| batch.iter().filter(move |message| message.stream == stream);
            let (events, mut rejected) = decode_messages(of(Stream::Es));
            let (seen, unreadable) = presence_facts(of(Stream::Presence));
            rejected.extend(unreadable);
            let mut rows: Vec<SystemEventRow> = events.iter().filter_map(of_certificate).collect();
            rows.extend(seen.iter().filter_map(of_presence));
            for message in of(Stream::EventsThreshold) {
                match threshold_events(message) {
                    Ok(events) => rows.extend(events.iter().map(of_threshold)),
                    Err(reason) => rejected.push(rejection(message, reason)),
                }
            }
            // Ids are derived from the content, so an event that a stage publishes twice is stored once.
            let mut transaction = db.begin().await?;
            append(&mut transaction, "system_events", &rows).await?;
            Ok(Written { transaction, rejected })
        })
    }
}

/// Parses the threshold events of a message.
pub(crate) fn threshold_events(message: &Message) -> Result<Vec<ThresholdEvent>, Unreadable> {
    serde_json::from_slice(&message.payload).map_err(|error| Unreadable(error.to_string()))
}
