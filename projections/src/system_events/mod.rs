//! What the platform noticed by itself: breaches, devices gone, refused connections, certificates that end. A list for
//! people, and for whoever asks later. What does not live here: alarms, which have a life after they were raised.

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

/// The projection.
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
            // Ids come of what happened, so what a stage published twice is one row.
            let mut transaction = db.begin().await?;
            append(&mut transaction, "system_events", &rows).await?;
            Ok(Written { transaction, rejected })
        })
    }
}

/// Reads the threshold events of a message.
pub(crate) fn threshold_events(message: &Message) -> Result<Vec<ThresholdEvent>, Unreadable> {
    serde_json::from_slice(&message.payload).map_err(|error| Unreadable(error.to_string()))
}
