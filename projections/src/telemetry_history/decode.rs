//! Decodes packs of device and asset readings into one common form and drops repetitions. Pure, but for the origin
//! marks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::telemetry::{AssetPack, COMPUTED_SOURCE, MetricValue, NormalizedPack, Quality, decode_pack};
use eventlog::{Message, Rejection, Stream, error_chain};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::binary_copy::micros;
use crate::decoded_event::Unreadable;
use crate::log_order::log_order;
use crate::origin_marks::OriginMarks;
use crate::projection::rejection;
use crate::sql_values::{strip_nul, to_json};

/// The kind of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityKind {
    Device,
    Asset,
}

/// One reading of a device or an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub entity: Uuid,
    pub kind: EntityKind,
    pub organization: Uuid,
    /// Microseconds since the Unix epoch.
    pub measured_at: i64,
    /// Index into the batch's metric sets.
    pub set: usize,
    pub numbers: Vec<f64>,
    /// A JSON object.
    pub others: Option<String>,
    /// A JSON object.
    pub flaws: Option<String>,
    /// The devices that the values come from; empty for devices.
    pub sources: Vec<Uuid>,
    /// Whether it was computed from other assets' values, with its own timestamps.
    pub computed: bool,
    /// Its order of arrival, see [`log_order`]; decides between values of the same time.
    pub position: i64,
}

/// The readings of a batch.
#[derive(Debug, Default)]
pub struct DecodedBatch {
    pub readings: Vec<Reading>,
    /// The distinct metric sets that the readings refer to.
    pub sets: Vec<Vec<String>>,
    pub rejected: Vec<Rejection>,
    /// The newest time of arrival (microseconds): the log's clock.
    pub log_time: Option<i64>,
    known: BTreeMap<Vec<String>, usize>,
}

/// Decodes the readings of a batch that are above the origin marks, and raises the marks.
pub fn decode(marks: &mut OriginMarks, batch: &[Message]) -> DecodedBatch {
    let mut decoded = DecodedBatch::default();
    for message in batch {
        let read = match message.stream {
            Stream::TelemetryAsset => decode_pack(&message.payload).map(|pack| decoded.assets(marks, message, pack)),
            Stream::TelemetryNormalized => {
                decode_pack(&message.payload).map(|pack| decoded.devices(marks, message, pack))
            }
            _ => continue,
        };
        if let Err(error) = read {
            decoded.rejected.push(rejection(message, Unreadable(error_chain(&error))));
        }
    }
    decoded
}

impl DecodedBatch {
    fn devices(&mut self, marks: &mut OriginMarks, message: &Message, pack: NormalizedPack) {
        let sets = self.intern(pack.sets.0);
        let last = marks.last(message);
        // A tick advances the log's time when no readings arrive, so that hours close.
        pack.tick.iter().for_each(|tick| self.arrived(tick.at));
        for (index, reading) in pack.readings.into_iter().enumerate() {
            let known_set = sets.get(reading.set as usize).copied();
            let Some(set) = known_set.filter(|_| OriginMarks::is_new(last, reading.origin)) else { continue };
            marks.raise(message, reading.origin);
            self.arrived(reading.received_at);
            self.readings.push(Reading {
                entity: reading.device.0,
                kind: EntityKind::Device,
                organization: reading.organization.0,
                measured_at: micros(reading.measured_at),
                set,
                numbers: reading.numbers,
                others: others(&reading.others),
                flaws: flaws(&reading.flaws),
                sources: Vec::new(),
                computed: false,
                position: log_order(message, index),
            });
        }
    }

    fn assets(&mut self, marks: &mut OriginMarks, message: &Message, pack: AssetPack) {
        let computed = message.subject_tail().split_once('.').is_some_and(|(_, source)| source == COMPUTED_SOURCE);
        let sets = self.intern(pack.sets.0);
        let last = marks.last(message);
        for (index, reading) in pack.readings.into_iter().enumerate() {
            let known_set = sets.get(reading.set as usize).copied();
            let Some(set) = known_set.filter(|_| OriginMarks::is_new(last, reading.origin)) else { continue };
            marks.raise(message, reading.origin);
            self.arrived(reading.received_at);
            self.readings.push(Reading {
                entity: reading.asset.0,
                kind: EntityKind::Asset,
                organization: reading.organization.0,
                measured_at: micros(reading.measured_at),
                set,
                flaws: flaws(&reading.qualities()),
                numbers: reading.numbers,
                others: others(&reading.others),
                computed,
                sources: reading.source_devices.into_iter().map(|device| device.0).collect(),
                position: log_order(message, index),
            });
        }
    }

    fn arrived(&mut self, received_at: DateTime<Utc>) {
        self.log_time = self.log_time.max(Some(micros(received_at)));
    }

    /// Returns the indices of a pack's metric sets within the batch.
    fn intern(&mut self, sets: Vec<Vec<String>>) -> Vec<usize> {
        let intern = |keys: Vec<String>| {
            if let Some(index) = self.known.get(&keys) {
                return *index;
            }
            self.sets.push(keys.iter().map(|key| strip_nul(key)).collect());
            self.known.insert(keys, self.sets.len() - 1);
            self.sets.len() - 1
        };
        sets.into_iter().map(intern).collect()
    }
}

fn others(values: &[(String, MetricValue)]) -> Option<String> {
    object(values.iter().map(|(key, value)| (strip_nul(key), to_json(value))))
}

fn flaws(flaws: &[(String, Quality)]) -> Option<String> {
    object(flaws.iter().map(|(key, quality)| (strip_nul(key), to_json(quality))))
}

fn object(entries: impl ExactSizeIterator<Item = (String, Value)>) -> Option<String> {
    if entries.len() == 0 {
        return None;
    }
    let object: Map<String, Value> =
        entries.map(|(key, value)| (key, crate::sql_values::strip_nul_json(value))).collect();
    Some(Value::Object(object).to_string())
}
