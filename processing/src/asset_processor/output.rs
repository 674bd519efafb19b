//! Asset packs in the making, one for each asset partition and group, cut where they would be too large.

use std::collections::BTreeMap;

use domain::device_links::{Link, LinkRole};
use domain::telemetry::{AssetPack, AssetReading, MetricSets, Origin, Reading, SetInterner, encode_pack};
use eventlog::{Stream, partition_of};
use tracing::error;

use super::mapping::{map_numbers, map_others};
use super::{GROUPS, offers_source};
use crate::pack_limits::{MAX_READINGS, PACK_BYTES, READING_BYTES, text_bytes};
use crate::stage::Effects;

/// What a batch adds up to.
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

/// One input message being turned into asset values.
pub struct AssetValueWriter<'o> {
    output: &'o mut Output,
    group: u16,
    es_position: u64,
    sets: &'o MetricSets,
}

impl Output {
    /// Begins with an input message of a group, read with a directory of this position.
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
    /// Adds what a link makes of a reading; tells whether anything is left of it.
    pub fn add(&mut self, link: &Link, reading: &Reading, origin: Origin) -> bool {
        let others = map_others(link, &reading.others);
        let (keys, numbers) = map_numbers(link, self.sets.keys(reading.set), &reading.numbers);
        if keys.is_empty() && others.is_empty() {
            return false;
        }
        let partition = partition_of(link.asset_id.0);
        // What a backup sends counts only while others are silent, which is not known here.
        let is_offer = link.role == LinkRole::Backup;
        let source = if is_offer { offers_source(self.group) } else { self.group };
        let builder = self.output.builders.entry((partition, source)).or_default();
        // What follows may be of the same message, so only what came before it is read as a whole.
        let before = origin.sequence.saturating_sub(1);
        // A pack names one position of the directory, whichever batch its readings came in.
        if builder.pack.es_position != self.es_position {
            builder.close(partition, source, before, &mut self.output.effects);
            builder.pack.es_position = self.es_position;
        }
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
            Err(failure) => error!(error = &failure as &dyn std::error::Error, "a pack is not writable"),
        }
    }
}
