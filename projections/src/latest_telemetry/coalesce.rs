//! Reduces a batch to the newest values of each entity and metric set. Pure. Values of one set replace each other as a
//! whole, so one comparison of times and one write suffice for all metrics of a reading.

use std::collections::HashMap;

use domain::telemetry::{AssetPack, MetricValue, NormalizedPack, NotAPack, Quality, decode_pack};
use eventlog::{Message, Rejection, Stream, error_chain};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::binary_copy::micros;
use crate::decoded_event::Unreadable;
use crate::projection::rejection;
use crate::reading_values::reading_values;
use crate::sql_values::to_json;

/// The newest values of one entity and set of metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Newest {
    pub entity: Uuid,
    /// The Redis hash field of the metric set: `s:<hash of the keys>`.
    pub field: String,
    /// Microseconds since the Unix epoch.
    pub measured_at: i64,
    /// Microseconds since the Unix epoch.
    pub received_at: i64,
    /// `<measured_at>|{"v": {key: value}, "q": {key: quality}, "r": {key: reason}}`.
    pub text: String,
}

type Newer = HashMap<(Uuid, u64), Reading>;

struct Reading {
    measured_at: i64,
    received_at: i64,
    values: Map<String, Value>,
    flaws: Vec<(String, Quality)>,
    /// Why metrics of an asset cannot be computed, by key.
    reasons: Vec<(String, String)>,
}

/// Returns the newest values of a batch, and the messages that cannot be read.
pub fn coalesce<'a>(messages: impl Iterator<Item = &'a Message>) -> (Vec<Newest>, Vec<Rejection>) {
    let (mut newer, mut rejected) = (Newer::new(), Vec::new());
    for message in messages {
        let read = match message.stream {
            Stream::TelemetryAsset => assets(&mut newer, &message.payload),
            _ => devices(&mut newer, &message.payload),
        };
        if let Err(error) = read {
            rejected.push(rejection(message, Unreadable(error_chain(&error))));
        }
    }
    (newer.into_iter().map(newest).collect(), rejected)
}

fn devices(newer: &mut Newer, payload: &[u8]) -> Result<(), NotAPack> {
    let pack: NormalizedPack = decode_pack(payload)?;
    let hashes: Vec<u64> = pack.sets.0.iter().map(|keys| hash(keys.iter())).collect();
    for reading in pack.readings {
        let field = field(&hashes, reading.set, &reading.others);
        let (measured_at, received_at) = (micros(reading.measured_at), micros(reading.received_at));
        offer(newer, (reading.device.0, field), measured_at, received_at, || Reading {
            measured_at,
            received_at,
            values: reading_values(pack.sets.keys(reading.set), &reading.numbers, &reading.others),
            flaws: reading.flaws.clone(),
            reasons: Vec::new(),
        });
    }
    Ok(())
}

fn assets(newer: &mut Newer, payload: &[u8]) -> Result<(), NotAPack> {
    let pack: AssetPack = decode_pack(payload)?;
    let hashes: Vec<u64> = pack.sets.0.iter().map(|keys| hash(keys.iter())).collect();
    for reading in pack.readings {
        let field = field(&hashes, reading.set, &reading.others);
        let (measured_at, received_at) = (micros(reading.measured_at), micros(reading.received_at));
        offer(newer, (reading.asset.0, field), measured_at, received_at, || Reading {
            measured_at,
            received_at,
            values: {
                let bad = reading.flaws.iter().map(|(key, _)| (key.clone(), Value::Null));
                let mut values = reading_values(pack.sets.keys(reading.set), &reading.numbers, &reading.others);
                values.extend(bad);
                values
            },
            flaws: reading.flaws.iter().map(|(key, _)| (key.clone(), Quality::Bad)).collect(),
            reasons: reading.flaws.clone(),
        });
    }
    Ok(())
}

/// Keeps a reading unless it is older than the one held; an older one only updates the time of arrival.
fn offer(newer: &mut Newer, place: (Uuid, u64), measured_at: i64, received_at: i64, reading: impl FnOnce() -> Reading) {
    match newer.get_mut(&place) {
        Some(held) if held.measured_at > measured_at => held.received_at = held.received_at.max(received_at),
        Some(held) => {
            let seen = held.received_at.max(received_at);
            *held = Reading { received_at: seen, ..reading() };
        }
        None => {
            newer.insert(place, reading());
        }
    }
}

fn newest(((entity, field), reading): ((Uuid, u64), Reading)) -> Newest {
    let flaws: Map<String, Value> =
        reading.flaws.iter().map(|(key, quality)| (key.clone(), to_json(quality))).collect();
    let mut content = json!({ "v": reading.values });
    if !flaws.is_empty() {
        content["q"] = Value::Object(flaws);
    }
    if !reading.reasons.is_empty() {
        content["r"] = reading.reasons.into_iter().map(|(key, reason)| (key, Value::from(reason))).collect();
    }
    Newest {
        entity,
        field: format!("s:{field:016x}"),
        measured_at: reading.measured_at,
        received_at: reading.received_at,
        text: format!("{}|{content}", reading.measured_at),
    }
}

fn field(hashes: &[u64], set: u32, others: &[(String, MetricValue)]) -> u64 {
    let numbers = hashes.get(set as usize).copied().unwrap_or_default();
    if others.is_empty() {
        return numbers;
    }
    numbers ^ hash(others.iter().map(|(key, _)| key)).rotate_left(1)
}

/// The 64-bit FNV-1a hash of the keys, each terminated by 0xff, which UTF-8 never contains. Stored field names depend
/// on it, so it must never change.
fn hash<'a>(keys: impl Iterator<Item = &'a String>) -> u64 {
    let bytes = keys.flat_map(|key| key.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
