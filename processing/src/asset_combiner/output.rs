//! Builds the packs of computed values, health scores and reports to parent assets. Each kind has its own packs, so
//! that origins increase within each subject.

use std::collections::BTreeMap;

use domain::telemetry::{
    AssetHealthChanged, AssetPack, AssetReading, COMPUTED_SOURCE, ChildValues, Origin, SetInterner, encode_pack,
};
use eventlog::{Stream, error_chain, partition_of};
use tracing::error;

use super::{ACCEPTED_SOURCE, CHILDREN_SOURCES, HEALTH_SOURCE};
use crate::pack_limits::{MAX_READINGS, PACK_BYTES, READING_BYTES};
use crate::stage::Effects;

/// The packs of a batch, by subject.
#[derive(Default)]
pub struct Output(BTreeMap<(u16, String), Vec<PackBuilder>>);

#[derive(Default)]
struct PackBuilder {
    pack: AssetPack,
    sets: SetInterner,
    bytes: usize,
}

/// Writes the results of one input message of a partition.
pub struct ResultWriter<'o> {
    output: &'o mut Output,
    partition: u16,
    es_position: u64,
    origin: Origin,
}

/// A computed reading without its origin.
pub struct ComputedReading {
    /// The reading; its set and numbers are filled in from `numbers`.
    pub reading: AssetReading,
    /// Metrics with their values, sorted by metric.
    pub numbers: Vec<(String, f64)>,
}

impl Output {
    /// Returns the writer for an input message of a partition, read with the directory at this position.
    pub fn writer(&mut self, partition: u16, es_position: u64, origin: Origin) -> ResultWriter<'_> {
        ResultWriter { output: self, partition, es_position, origin }
    }

    /// Turns the packs into messages.
    pub fn effects(self) -> Effects {
        let mut effects = Effects::default();
        for ((partition, source), builders) in self.0 {
            for mut builder in builders {
                builder.pack.sets = builder.sets.take();
                match encode_pack(&builder.pack) {
                    Ok(bytes) => effects.publish(Stream::TelemetryAsset, format!("{partition}.{source}"), bytes),
                    Err(failure) => error!(error = error_chain(&failure), "cannot encode a pack"),
                }
            }
        }
        effects
    }
}

impl ResultWriter<'_> {
    /// Adds computed values.
    pub fn write_computed(&mut self, computed: ComputedReading) {
        self.write_values(COMPUTED_SOURCE, computed);
    }

    /// Adds accepted values of a backup device.
    pub fn write_accepted_backup(&mut self, accepted: ComputedReading) {
        self.write_values(&ACCEPTED_SOURCE.to_string(), accepted);
    }

    fn write_values(&mut self, source: &str, computed: ComputedReading) {
        let origin = self.next_origin();
        let texts: usize = computed.reading.flaws.iter().map(|(key, reason)| key.len() + reason.len()).sum();
        let bytes = READING_BYTES + computed.numbers.len() * 9 + texts;
        let builder = self.builder_for(self.partition, source.to_owned(), bytes);
        let (keys, numbers): (Vec<&str>, Vec<f64>) =
            computed.numbers.iter().map(|(key, value)| (key.as_str(), *value)).unzip();
        let set = builder.sets.intern(&keys);
        builder.pack.readings.push(AssetReading { origin, set, numbers, ..computed.reading });
    }

    /// Adds a change of the health score.
    pub fn write_health(&mut self, change: AssetHealthChanged) {
        let origin = self.next_origin();
        let builder = self.builder_for(self.partition, HEALTH_SOURCE.to_owned(), READING_BYTES);
        builder.pack.health.push(AssetHealthChanged { origin, ..change });
    }

    /// Adds the report of a child asset to its parent.
    pub fn write_child_values(&mut self, report: ChildValues) {
        let origin = self.next_origin();
        let source = (CHILDREN_SOURCES + self.partition).to_string();
        let bytes = READING_BYTES + report.values.iter().map(|(key, ..)| key.len() + 20).sum::<usize>();
        let builder = self.builder_for(partition_of(report.parent.0), source, bytes);
        builder.pack.children.push(ChildValues { origin, ..report });
    }

    fn next_origin(&mut self) -> Origin {
        let origin = self.origin;
        self.origin.ordinal += 1;
        origin
    }

    /// Returns the pack to add to; starts a new one at another directory position or at the size limit.
    fn builder_for(&mut self, partition: u16, source: String, bytes: usize) -> &mut PackBuilder {
        let builders = self.output.0.entry((partition, source)).or_default();
        let fits = |builder: &PackBuilder| {
            let pack = &builder.pack;
            let count = pack.readings.len() + pack.health.len() + pack.children.len();
            pack.es_position == self.es_position && builder.bytes < PACK_BYTES && count < MAX_READINGS
        };
        if !builders.last().is_some_and(fits) {
            // More results of this message may follow, so the pack claims only the messages before it as fully read.
            let read_up_to = self.origin.sequence.saturating_sub(1);
            let pack = AssetPack { es_position: self.es_position, read_up_to, ..AssetPack::default() };
            builders.push(PackBuilder { pack, ..PackBuilder::default() });
        }
        let at = builders.len() - 1;
        builders[at].bytes += bytes;
        &mut builders[at]
    }
}
