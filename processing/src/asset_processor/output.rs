//! Builds asset packs, one for each asset partition and source, and closes a pack before it becomes too large.

use std::collections::BTreeMap;

use domain::device_links::{Link, LinkRole};
use domain::telemetry::{AssetPack, AssetReading, MetricSets, Origin, Reading, SetInterner, encode_pack};
use eventlog::{Stream, error_chain, partition_of};
use tracing::error;

use super::mapping::{map_numbers, map_others, map_qualities};
use super::{GROUPS, offers_source};
use crate::pack_limits::{MAX_READINGS, PACK_BYTES, READING_BYTES, text_bytes};
use crate::stage::Effects;

/// The packs of a batch.
#[derive(Default)]
pub struct Output {
    builders: BTreeMap<(u16, u16), PackBuilder>,
    read_up_to: BTreeMap<u16, u64>,
    effects: Effects,
}

#[derive(Default)]
struct PackBuilder {
    pack: AssetPack,
    sets: SetInterner,
    bytes: usize,
}

/// Writes the asset values of one input message.
pub struct AssetValueWriter<'o> {
    output: &'o mut Output,
    group: u16,
    es_position: u64,
    sets: &'o MetricSets,
}

impl Output {
    /// Returns the writer for an input message of a group, read with the directory at this position.
    pub fn writer<'o>(
        &'o mut self,
        group: u16,
        sequence: u64,
        es_position: u64,
        sets: &'o MetricSets,
    ) -> AssetValueWriter<'o> {
        self.read_up_to.insert(group, sequence);
        AssetValueWriter { output: self, group, es_position, sets }
    }

    /// Turns the packs into messages.
    pub fn effects(mut self) -> Effects {
        for ((partition, source), mut builder) in self.builders {
            let read_up_to = self.read_up_to.get(&(source % GROUPS)).copied().unwrap_or_default();
            builder.close(partition, source, read_up_to, &mut self.effects);
        }
        self.effects
    }
}

impl AssetValueWriter<'_> {
    /// Adds a reading as the link maps it. Returns false where the mapping leaves no value.
    pub fn add(&mut self, link: &Link, reading: &Reading, origin: Origin) -> bool {
        let (keys, numbers) = map_numbers(link, self.sets.keys(reading.set), &reading.numbers);
        let others = map_others(link, &reading.others, &keys);
        if keys.is_empty() && others.is_empty() {
            return false;
        }
        let partition = partition_of(link.asset_id.0);
        // A backup's values count only while other devices are silent. Only the asset combiner knows that.
        let is_offer = link.role == LinkRole::Backup;
        let source = if is_offer { offers_source(self.group) } else { self.group };
        let builder = self.output.builders.entry((partition, source)).or_default();
        // More readings of this message may follow, so the pack claims only the messages before it as fully read.
        let before = origin.sequence.saturating_sub(1);
        // A pack names one directory position, so a new position starts a new pack.
        if builder.pack.es_position != self.es_position {
            builder.close(partition, source, before, &mut self.output.effects);
            builder.pack.es_position = self.es_position;
        }
        let doubts = map_qualities(link, self.sets.keys(reading.set), &reading.flaws);
        let texts: usize = others.iter().map(|(key, value)| key.len() + text_bytes(value) + 8).sum();
        builder.bytes += READING_BYTES + keys.len() * 9 + texts;
        let set = builder.sets.intern(&keys);
        let readings = if is_offer { &mut builder.pack.offers } else { &mut builder.pack.readings };
        readings.push(AssetReading {
            origin,
            organization: reading.organization,
            asset: link.asset_id,
            source_devices: vec![reading.device],
            measured_at: reading.measured_at,
            received_at: reading.received_at,
            set,
            numbers,
            others,
            flaws: vec![],
            doubts,
        });
        if builder.is_full() {
            builder.close(partition, source, before, &mut self.output.effects);
            builder.pack.es_position = self.es_position;
        }
        true
    }
}

impl PackBuilder {
    fn is_full(&self) -> bool {
        self.bytes + self.sets.bytes() >= PACK_BYTES
            || self.pack.readings.len().max(self.pack.offers.len()) >= MAX_READINGS
    }

    fn close(&mut self, partition: u16, source: u16, read_up_to: u64, effects: &mut Effects) {
        let mut pack = std::mem::take(&mut self.pack);
        pack.sets = self.sets.take();
        self.bytes = 0;
        if pack.readings.is_empty() && pack.offers.is_empty() {
            return;
        }
        pack.read_up_to = read_up_to;
        match encode_pack(&pack) {
            Ok(bytes) => effects.publish(Stream::TelemetryAsset, format!("{partition}.{source}"), bytes),
            Err(failure) => error!(error = error_chain(&failure), "cannot encode a pack"),
        }
    }
}
