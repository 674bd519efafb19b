//! Publishes redriven dead letters to the raw stream again, where the normalizer processes them like any other message.
//! The decision to redrive is a command of `domain::dead_letter`.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use domain::AnyEvent;
use domain::dead_letter::SettledLetterEvent;
use domain::ids::OrganizationId;
use domain::telemetry::{DeadLetter, IngestionSource, RawPack, RawReading, encode_pack};
use eventlog::{Message, RecordedEvent, Source, Stream, Upcasters, decode_events};

use crate::metric_names;
use crate::stage::{Effects, Stage, StepContext};

/// Name of the stage.
const NAME: &str = "redriver";

/// Its shard of the raw stream, beside the shards of `ingest`.
const SHARD: &str = "redriven";

/// The stage that republishes redriven messages. A crash may publish a message twice; its readings have the same times
/// and count once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Redriver;

impl Stage for Redriver {
    const NAME: &'static str = NAME;
    const UNITS: u16 = 1;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(5);
    type State = ();
    type Input = Vec<RawReading>;
    type Output = Effects;

    fn sources(_units: &BTreeSet<u16>) -> Vec<Source> {
        vec![Source::filtered(Stream::Es, ["*.dead_letter.>"])]
    }

    fn unit(_message: &Message) -> Option<u16> {
        Some(0)
    }

    fn decode(message: &Message) -> Result<Vec<RawReading>, String> {
        let events = decode_events(message, &Upcasters::of(domain::CONVERSIONS)).map_err(|error| error.to_string())?;
        events.into_iter().filter_map(|event| reading(event).transpose()).collect()
    }

    fn step(&self, _context: StepContext<'_, ()>, input: Vec<RawReading>, output: &mut Effects) {
        metrics::counter!(metric_names::TAKEN, "stage" => NAME).increment(input.len() as u64);
        if input.is_empty() {
            return;
        }
        // Encoding into memory cannot fail.
        let pack = encode_pack(&RawPack { readings: input }).unwrap_or_default();
        output.publish(Stream::TelemetryRaw, SHARD.to_owned(), pack);
    }

    fn effects(&self, output: Effects) -> Effects {
        output
    }
}

/// Returns the message that an event redrives, if it is such an event.
fn reading(event: RecordedEvent) -> Result<Option<RawReading>, String> {
    let organization: OrganizationId =
        event.organization.parse().map_err(|_| "the organisation is not a valid id".to_owned())?;
    let known = AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload);
    let AnyEvent::DeadLetter(SettledLetterEvent::DeadLetterRedriven { device, received_at, payload, .. }) =
        known.map_err(|error| error.to_string())?
    else {
        return Ok(None);
    };
    let payload = DeadLetter::bytes_of(&payload).ok_or("the payload is not valid base64")?;
    let source = IngestionSource::default();
    Ok(Some(RawReading { organization, device, received_at, source, payload: Bytes::from(payload) }))
}
