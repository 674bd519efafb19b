//! Reduces a batch to the newest values of each entity and metric set. Pure, but for the origin marks. Values of one set
//! replace each other as a whole, so one comparison and one write suffice for all metrics of a reading. Readers compare
//! the sets: the newest value of a metric is the one with the greatest measured time, and of equal times the last to
//! arrive.

use std::collections::HashMap;

use domain::telemetry::{AssetPack, MetricSets, MetricValue, NormalizedPack, NotAPack, Quality, decode_pack};
use eventlog::{Message, Rejection, Stream, error_chain};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::binary_copy::micros;
use crate::decoded_event::Unreadable;
use crate::log_order::log_order;
use crate::origin_marks::OriginMarks;
use crate::projection::rejection;
use crate::reading_values::{asset_values, device_values, qualities};

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
    /// Its order of arrival, see [`log_order`].
    pub position: i64,
    /// `<measured_at>|{"p":<position>,"v":{key: value},"q":{key: quality},"r":{key: reason}}`. Earlier versions wrote no
    /// `p`, which counts as 0.
    pub text: String,
}

type Newer = HashMap<(Uuid, u64), Reading>;

struct Reading {
    measured_at: i64,
    received_at: i64,
    content: Content,
}

struct Content {
    position: i64,
    values: Map<String, Value>,
    flaws: Vec<(String, Quality)>,
    /// Why metrics of an asset cannot be computed, by key.
    reasons: Vec<(String, String)>,
}

/// Returns the newest values of a batch, and the messages that cannot be read. Values that a stage has published again
/// are dropped: they would count as the last to arrive.
pub fn coalesce<'a>(
    marks: &mut OriginMarks,
    messages: impl Iterator<Item = &'a Message>,
) -> (Vec<Newest>, Vec<Rejection>) {
    let (mut newer, mut rejected) = (Newer::new(), Vec::new());
    for message in messages {
        let read = match message.stream {
            Stream::TelemetryAsset => assets(&mut newer, marks, message),
            _ => devices(&mut newer, marks, message),
        };
        if let Err(error) = read {
            rejected.push(rejection(message, Unreadable(error_chain(&error))));
        }
    }
    (newer.into_iter().map(newest).collect(), rejected)
}

fn devices(newer: &mut Newer, marks: &mut OriginMarks, message: &Message) -> Result<(), NotAPack> {
    let pack: NormalizedPack = decode_pack(&message.payload)?;
    let (fields, last) = (Fields::of(&pack.sets), marks.last(message));
    for (index, reading) in pack.readings.into_iter().enumerate() {
        if !OriginMarks::is_new(last, reading.origin) {
            continue;
        }
        marks.raise(message, reading.origin);
        let field = fields.of_reading(reading.set, &reading.others, &[]);
        offer(newer, (reading.device.0, field), micros(reading.measured_at), micros(reading.received_at), || Content {
            position: log_order(message, index),
            values: device_values(&reading, &pack.sets),
            flaws: reading.flaws.clone(),
            reasons: Vec::new(),
        });
    }
    Ok(())
}

fn assets(newer: &mut Newer, marks: &mut OriginMarks, message: &Message) -> Result<(), NotAPack> {
    let pack: AssetPack = decode_pack(&message.payload)?;
    let (fields, last) = (Fields::of(&pack.sets), marks.last(message));
    for (index, reading) in pack.readings.into_iter().enumerate() {
        if !OriginMarks::is_new(last, reading.origin) {
            continue;
        }
        marks.raise(message, reading.origin);
        let field = fields.of_reading(reading.set, &reading.others, &reading.flaws);
        offer(newer, (reading.asset.0, field), micros(reading.measured_at), micros(reading.received_at), || Content {
            position: log_order(message, index),
            values: asset_values(&reading, &pack.sets),
            flaws: reading.qualities(),
            reasons: reading.flaws.clone(),
        });
    }
    Ok(())
}

/// Keeps a reading unless it is older than the one held; an older one only updates the time of arrival.
fn offer(newer: &mut Newer, place: (Uuid, u64), measured_at: i64, received_at: i64, content: impl FnOnce() -> Content) {
    let held = newer.get(&place);
    let received_at = held.map_or(received_at, |held| held.received_at.max(received_at));
    match newer.get_mut(&place) {
        Some(held) if held.measured_at > measured_at => held.received_at = received_at,
        _ => {
            newer.insert(place, Reading { measured_at, received_at, content: content() });
        }
    }
}

fn newest(((entity, field), Reading { measured_at, received_at, content }): ((Uuid, u64), Reading)) -> Newest {
    let Content { position, values, flaws, reasons } = content;
    let flaws = qualities(&flaws);
    let mut rest = json!({ "v": values });
    if !flaws.is_empty() {
        rest["q"] = Value::Object(flaws);
    }
    if !reasons.is_empty() {
        rest["r"] = reasons.into_iter().map(|(key, reason)| (key, Value::from(reason))).collect();
    }
    // The position comes first, where the script that stores values finds it without parsing the rest.
    let rest = rest.to_string();
    let rest = rest.strip_prefix('{').unwrap_or(&rest);
    let text = format!("{measured_at}|{{\"p\":{position},{rest}");
    Newest { entity, field: format!("s:{field:016x}"), measured_at, received_at, position, text }
}

/// The hashes of a pack's metric sets.
struct Fields(Vec<u64>);

impl Fields {
    fn of(sets: &MetricSets) -> Self {
        Self(sets.0.iter().map(|keys| hash(keys.iter())).collect())
    }

    /// Returns the field of a reading: a hash of all its keys. Metrics that cannot be computed count as well, so that
    /// one whose failure was told is not forgotten when the others' next values replace the field.
    fn of_reading(&self, set: u32, others: &[(String, MetricValue)], failing: &[(String, String)]) -> u64 {
        let mut field = self.0.get(set as usize).copied().unwrap_or_default();
        if !others.is_empty() {
            field ^= hash(others.iter().map(|(key, _)| key)).rotate_left(1);
        }
        if !failing.is_empty() {
            field ^= hash(failing.iter().map(|(key, _)| key)).rotate_left(2);
        }
        field
    }
}

/// The 64-bit FNV-1a hash of the keys, each terminated by 0xff, which UTF-8 never contains. Stored field names depend
/// on it, so it must never change.
fn hash<'a>(keys: impl Iterator<Item = &'a String>) -> u64 {
    let bytes = keys.flat_map(|key| key.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
