//! Packs in the making: values, health, and what goes to the partitions of assets above; each kind in packs of its own, so
//! that origins grow within each subject.

use std::collections::BTreeMap;

use domain::telemetry::{
    AssetHealthChanged, AssetPack, AssetReading, COMPUTED_SOURCE, ChildValues, Origin, SetInterner, encode_pack,
};
use eventlog::{Stream, partition_of};
use tracing::error;

use super::{ACCEPTED_SOURCE, CHILDREN_SOURCES, HEALTH_SOURCE};
use crate::packing::{MAX_READINGS, PACK_BYTES, READING_BYTES};
use crate::stage::Effects;

/// What a batch adds up to, by subject.
#[derive(Default)]
pub struct Output(BTreeMap<(u16, String), Vec<Making>>);

#[derive(Default)]
struct Making {
    pack: AssetPack,
    sets: SetInterner,
    bytes: usize,
}

/// The output of one input message of a partition.
pub struct Lane<'o> {
    output: &'o mut Output,
    partition: u16,
    es_position: u64,
    origin: Origin,
}

/// A reading to be told, but for its place.
pub struct Computed {
    /// The reading; its set and numbers are filled in from `numbers`.
    pub reading: AssetReading,
    /// Metrics with their values, sorted by metric.
    pub numbers: Vec<(String, f64)>,
}

impl Output {
    /// Begins with an input message of a partition, read with a directory of this position.
    pub fn lane(&mut self, partition: u16, es_position: u64, origin: Origin) -> Lane<'_> {
        Lane { output: self, partition, es_position, origin }
    }

    /// Turns the packs into messages.
    pub fn effects(self) -> Effects {
        let mut effects = Effects::default();
        for ((partition, source), makings) in self.0 {
            for mut making in makings {
                making.pack.sets = making.sets.take();
                match encode_pack(&making.pack) {
                    Ok(bytes) => effects.publish(Stream::TelemetryAsset, format!("{partition}.{source}"), bytes),
                    Err(failure) => error!(error = &failure as &dyn std::error::Error, "a pack is not writable"),
                }
            }
        }
        effects
    }
}

impl Lane<'_> {
    /// Adds computed values.
    pub fn computed(&mut self, computed: Computed) {
        self.values(COMPUTED_SOURCE, computed);
    }

    /// Adds values of a backup that count.
    pub fn accepted(&mut self, accepted: Computed) {
        self.values(ACCEPTED_SOURCE, accepted);
    }

    fn values(&mut self, source: &str, computed: Computed) {
        let origin = self.next();
        let texts: usize = computed.reading.flaws.iter().map(|(key, reason)| key.len() + reason.len()).sum();
        let bytes = READING_BYTES + computed.numbers.len() * 9 + texts;
        let making = self.making(self.partition, source.to_owned(), bytes);
        let (keys, numbers): (Vec<&str>, Vec<f64>) =
            computed.numbers.iter().map(|(key, value)| (key.as_str(), *value)).unzip();
        let set = making.sets.intern(&keys);
        making.pack.readings.push(AssetReading { origin, set, numbers, ..computed.reading });
    }

    /// Adds a change of health.
    pub fn health(&mut self, change: AssetHealthChanged) {
        let origin = self.next();
        let making = self.making(self.partition, HEALTH_SOURCE.to_owned(), READING_BYTES);
        making.pack.health.push(AssetHealthChanged { origin, ..change });
    }

    /// Adds what an asset says to the one above.
    pub fn child(&mut self, said: ChildValues) {
        let origin = self.next();
        let source = (CHILDREN_SOURCES + self.partition).to_string();
        let bytes = READING_BYTES + said.values.iter().map(|(key, ..)| key.len() + 20).sum::<usize>();
        let making = self.making(partition_of(said.parent.0), source, bytes);
        making.pack.children.push(ChildValues { origin, ..said });
    }

    fn next(&mut self) -> Origin {
        let origin = self.origin;
        self.origin.ordinal += 1;
        origin
    }

    /// Answers the pack to add to: a pack names one position of the directory, and does not grow without end.
    fn making(&mut self, partition: u16, source: String, bytes: usize) -> &mut Making {
        let makings = self.output.0.entry((partition, source)).or_default();
        let fits = |making: &Making| {
            let pack = &making.pack;
            let count = pack.readings.len() + pack.health.len() + pack.children.len();
            pack.es_position == self.es_position && making.bytes < PACK_BYTES && count < MAX_READINGS
        };
        if !makings.last().is_some_and(fits) {
            // What follows may be of the same message, so only what came before it is read as a whole.
            let read_up_to = self.origin.sequence.saturating_sub(1);
            let pack = AssetPack { es_position: self.es_position, read_up_to, ..AssetPack::default() };
            makings.push(Making { pack, ..Making::default() });
        }
        let at = makings.len() - 1;
        makings[at].bytes += bytes;
        &mut makings[at]
    }
}
