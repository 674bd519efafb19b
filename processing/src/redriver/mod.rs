//! Messages of devices that somebody gives to the platform again: out of the domain events, into the raw stream. What does
//! not live here: the decision to do so, and what becomes of the message.

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

/// Under which name it writes to the raw stream, beside the shards of the doors.
const SHARD: &str = "redriven";

/// The stage. A crash may give a message twice; its readings have the same times, and count once.
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
        let events = decode_events(message, &Upcasters::none()).map_err(|error| error.to_string())?;
        events.into_iter().filter_map(|event| reading(event).transpose()).collect()
    }

    fn step(&self, _context: StepContext<'_, ()>, input: Vec<RawReading>, output: &mut Effects) {
        metrics::counter!(metric_names::TAKEN, "stage" => NAME).increment(input.len() as u64);
        if input.is_empty() {
            return;
        }
        // Writing to memory does not fail.
        let pack = encode_pack(&RawPack { readings: input }).unwrap_or_default();
        output.publish(Stream::TelemetryRaw, SHARD.to_owned(), pack);
    }

    fn effects(&self, output: Effects) -> Effects {
        output
    }
}

/// Returns the message that an event gives again, if it does.
fn reading(event: RecordedEvent) -> Result<Option<RawReading>, String> {
    let organization: OrganizationId = event.organization.parse().map_err(|_| "no readable organisation".to_owned())?;
    let known = AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload);
    let AnyEvent::DeadLetter(SettledLetterEvent::DeadLetterRedriven { device, received_at, payload, .. }) =
        known.map_err(|error| error.to_string())?
    else {
        return Ok(None);
    };
    let payload = DeadLetter::bytes_of(&payload).ok_or("its payload is no base64")?;
    let source = IngestionSource::default();
    Ok(Some(RawReading { organization, device, received_at, source, payload: Bytes::from(payload) }))
}
