//! Turns raw payloads into validated, enriched readings by device partition. A rejected payload or reading goes to the
//! dead letters with its reason. One unit is one raw shard; its only state is how far it was read.

mod dead_letters;
mod output;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::catalogue::protocol_converter::Converter;
use domain::directory::{DeviceEntry, Directory, DirectoryView};
use domain::ids::DeviceTypeId;
use domain::telemetry::payload::{ClockBounds, MAX_READINGS, Reason, Refusal, arrival_of, parse, texts_of, validate};
use domain::telemetry::{Origin, RawPack, RawReading, decode_pack};
use eventlog::{Message, PARTITIONS, Source, Stream};

use crate::metric_names;
use crate::stage::{Effects, Stage, StepContext};
use output::{Output, ReadingContext};

/// Name of the stage; subject token of its dead letters.
pub(crate) const NAME: &str = "normalizer";

/// The stage that validates raw readings.
#[derive(Clone, Debug)]
pub struct Normalizer {
    /// The most that a device's clock may be ahead.
    pub ahead: TimeDelta,
}

impl Default for Normalizer {
    fn default() -> Self {
        Self { ahead: ClockBounds::default().ahead }
    }
}

impl Stage for Normalizer {
    const NAME: &'static str = NAME;
    const UNITS: u16 = PARTITIONS;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(100);
    type State = ();
    type Input = RawPack;
    type Output = Output;

    fn sources(_units: &BTreeSet<u16>) -> Vec<Source> {
        // No filters: shards are few and their packs large, and a shard that no filter names would never be read.
        vec![Source::all(Stream::TelemetryRaw)]
    }

    fn unit(message: &Message) -> Option<u16> {
        Some(unit_of(message.subject_tail()))
    }

    fn decode(message: &Message) -> Result<RawPack, String> {
        decode_pack(&message.payload).map_err(|error| format!("{error}: {}", message.subject))
    }

    fn needs_newer_directory(directory: &Directory, input: &RawPack) -> bool {
        input.readings.iter().any(|raw| directory.device_now(raw.device).is_none())
    }

    fn step(&self, context: StepContext<'_, ()>, input: RawPack, output: &mut Output) {
        let es_position = context.unit.es_position(context.message, context.directory.position());
        let shard = output.open(context.message.subject_tail(), context.message.sequence);
        metrics::counter!(metric_names::TAKEN, "stage" => NAME).increment(input.readings.len() as u64);
        for (index, raw) in (0_u32..).zip(&input.readings) {
            // The origin depends only on the place in the message, not on what was rejected before it: recomputed with
            // a newer directory, a reading keeps its origin.
            let origin = Origin { sequence: context.message.sequence, ordinal: index * MAX_READINGS as u32 };
            let reading_context = ReadingContext { shard, origin, device_type: DeviceTypeId::default(), es_position };
            if let Err(refusal) = self.normalize(context.directory.as_of(es_position), reading_context, raw, output) {
                output.refuse(shard, raw, &refusal);
            }
        }
    }

    fn effects(&self, output: Output) -> Effects {
        output.effects()
    }
}

impl Normalizer {
    /// Normalises one payload with all its readings.
    fn normalize(
        &self,
        directory: DirectoryView<'_>,
        mut reading_context: ReadingContext,
        raw: &RawReading,
        output: &mut Output,
    ) -> Result<(), Refusal> {
        let device = device(directory, raw)?;
        reading_context.device_type = device.device_type;
        let device_type = directory.device_type(device.device_type);
        let converter = device_type.and_then(|device_type| directory.converter(device_type));
        let (payload, rounded) = converted(converter, &raw.payload)?;
        let kept_days = directory.telemetry_retention_days(raw.organization);
        let bounds = ClockBounds { kept_days, ahead: self.ahead };
        let readings = parse(&payload)?;
        let count = readings.len();
        let texts = LazyCell::new(|| texts_of(&raw.payload));
        for (index, mut reading) in readings.into_iter().enumerate() {
            reading.mark_rounded(&rounded);
            let arrived = arrival_of(index, count, raw.received_at);
            match validate(reading, arrived, device_type, &bounds) {
                Ok(checked) => output.add(raw, reading_context, checked),
                Err(refusal) => {
                    // A converter needs the whole payload.
                    let text = if converter.is_none() { texts.get(index).copied() } else { None };
                    output.refuse(reading_context.shard, &alone(raw, text, arrived), &refusal);
                }
            }
            reading_context.origin.ordinal += 1;
        }
        Ok(())
    }
}

/// Returns a reading as a message of its own, with its own time of arrival and, if it comes from an array, its own text:
/// redriven, it gets the time that it would have had, and the others are not sent again.
fn alone(raw: &RawReading, text: Option<&[u8]>, arrived: DateTime<Utc>) -> RawReading {
    let payload = text.map_or_else(|| raw.payload.clone(), |text| raw.payload.slice_ref(text));
    RawReading { received_at: arrived, payload, ..raw.clone() }
}

/// A payload in the platform's JSON format, and the metrics whose numbers were rounded on the way.
type Converted<'p> = (Cow<'p, [u8]>, BTreeSet<String>);

/// Converts a payload to the platform's JSON format; without a converter, returns it unchanged.
fn converted<'p>(converter: Option<&Converter>, payload: &'p [u8]) -> Result<Converted<'p>, Refusal> {
    let Some(converter) = converter else { return Ok((Cow::Borrowed(payload), BTreeSet::new())) };
    let conversion = converter.convert(payload);
    if conversion.refused {
        let said = conversion.errors.iter().map(|error| format!("{}: {}", error.target, error.message));
        return Err(Refusal::new(Reason::NotConverted, said.collect::<Vec<_>>().join("; ")));
    }
    Ok((Cow::Owned(conversion.reading.to_string().into_bytes()), conversion.rounded))
}

fn device<'d>(directory: DirectoryView<'d>, raw: &RawReading) -> Result<&'d DeviceEntry, Refusal> {
    let refuse = |reason, detail: &str| Err(Refusal::new(reason, format!("device {} {detail}", raw.device)));
    match directory.device(raw.device) {
        None => refuse(Reason::UnknownDevice, "is not registered"),
        Some(device) if device.organization != raw.organization => {
            refuse(Reason::WrongOrganization, "belongs to another organisation")
        }
        Some(device) if device.decommissioned => refuse(Reason::Decommissioned, "is out of service"),
        Some(device) => Ok(device),
    }
}

/// Returns the unit of a shard: its number, or a hash of its name, modulo the number of partitions.
fn unit_of(shard: &str) -> u16 {
    let number = shard.parse::<u64>().unwrap_or_else(|_| {
        // FNV-1a, 64 bits (draft-eastlake-fnv), because the hash must be the same in every process and version.
        shard.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    });
    (number % u64::from(PARTITIONS)) as u16
}
