//! Builds normalised packs, one for each device partition and shard, and closes a pack before it becomes too large.

use domain::ids::DeviceTypeId;
use domain::telemetry::payload::{Checked, Refusal};
use domain::telemetry::{
    DeadLetter, MetricValue, NormalizedPack, Origin, Quality, RawReading, Reading, SetInterner, encode_pack,
};
use eventlog::{PARTITIONS, Stream, error_chain, partition_of};
use tracing::error;

use super::{NAME, dead_letters};
use crate::metric_names;
use crate::pack_limits::{MAX_READINGS, PACK_BYTES, READING_BYTES, text_bytes};
use crate::stage::Effects;

/// The packs and dead letters of a batch.
#[derive(Default)]
pub struct Output {
    shards: Vec<Shard>,
    dead_letters: Vec<DeadLetter>,
    effects: Effects,
}

/// Where a reading comes from, and what it was validated with.
#[derive(Clone, Copy)]
pub struct ReadingContext {
    /// The index of the shard, as [`Output::open`] returned it.
    pub shard: usize,
    /// Its place in the raw stream.
    pub origin: Origin,
    /// The type of its device.
    pub device_type: DeviceTypeId,
    /// The directory position that it was validated with.
    pub es_position: u64,
}

struct Shard {
    name: String,
    read_up_to: u64,
    partitions: Vec<PackBuilder>,
}

#[derive(Default)]
struct PackBuilder {
    pack: NormalizedPack,
    sets: SetInterner,
    bytes: usize,
}

impl Output {
    /// Starts a message of a shard and returns the shard's index.
    pub fn open(&mut self, shard: &str, sequence: u64) -> usize {
        let index = self.shards.iter().position(|known| known.name == shard).unwrap_or_else(|| {
            let partitions = (0..PARTITIONS).map(|_| PackBuilder::default()).collect();
            self.shards.push(Shard { name: shard.to_owned(), read_up_to: 0, partitions });
            self.shards.len() - 1
        });
        self.shards[index].read_up_to = sequence;
        index
    }

    /// Adds a reading to the pack of its partition.
    pub fn add(&mut self, raw: &RawReading, reading_context: ReadingContext, checked: Checked<'_>) {
        let partition = partition_of(raw.device.0);
        let Shard { name, partitions, .. } = &mut self.shards[reading_context.shard];
        let builder = &mut partitions[usize::from(partition)];
        // More readings of this message may follow, so the pack claims only the messages before it as fully read.
        let before = reading_context.origin.sequence.saturating_sub(1);
        if builder.pack.es_position != reading_context.es_position {
            builder.close(partition, name, before, &mut self.effects);
            builder.pack.es_position = reading_context.es_position;
        }
        builder.push(raw, reading_context, checked);
        if builder.is_full() {
            builder.close(partition, name, before, &mut self.effects);
            builder.pack.es_position = reading_context.es_position;
        }
    }

    /// Adds a rejected payload or reading to the dead letters.
    pub fn refuse(&mut self, shard: usize, raw: &RawReading, refusal: &Refusal) {
        metrics::counter!(metric_names::REFUSED, "reason" => refusal.reason.code()).increment(1);
        self.dead_letters.push(dead_letters::dead_letter(&self.shards[shard].name, raw, refusal));
    }

    /// Turns the packs and dead letters into messages.
    pub fn effects(mut self) -> Effects {
        for Shard { name, read_up_to, partitions } in &mut self.shards {
            for (partition, builder) in (0_u16..).zip(partitions) {
                builder.close(partition, name, *read_up_to, &mut self.effects);
            }
        }
        for array in dead_letters::json_arrays(self.dead_letters, PACK_BYTES) {
            self.effects.publish(Stream::TelemetryDlq, NAME.to_owned(), array);
        }
        self.effects
    }
}

impl PackBuilder {
    fn push(&mut self, raw: &RawReading, reading_context: ReadingContext, checked: Checked<'_>) {
        self.bytes += READING_BYTES + checked.numbers.len() * 9 + others_bytes(&checked.others, &checked.flaws);
        self.pack.readings.push(Reading {
            origin: reading_context.origin,
            organization: raw.organization,
            device: raw.device,
            device_type: reading_context.device_type,
            measured_at: checked.measured_at,
            received_at: raw.received_at,
            source: raw.source,
            set: self.sets.intern(&checked.keys),
            numbers: checked.numbers,
            others: checked.others,
            flaws: checked.flaws,
        });
    }

    fn is_full(&self) -> bool {
        self.bytes + self.sets.bytes() >= PACK_BYTES || self.pack.readings.len() >= MAX_READINGS
    }

    fn close(&mut self, partition: u16, shard: &str, read_up_to: u64, effects: &mut Effects) {
        let mut pack = std::mem::take(&mut self.pack);
        pack.sets = self.sets.take();
        self.bytes = 0;
        if pack.readings.is_empty() {
            return;
        }
        pack.read_up_to = read_up_to;
        match encode_pack(&pack) {
            Ok(bytes) => effects.publish(Stream::TelemetryNormalized, format!("{partition}.{shard}"), bytes),
            Err(failure) => error!(error = error_chain(&failure), "cannot encode a pack"),
        }
    }
}

fn others_bytes(others: &[(String, MetricValue)], flaws: &[(String, Quality)]) -> usize {
    let others = others.iter().map(|(key, value)| key.len() + text_bytes(value) + 8);
    let flaws = flaws.iter().map(|(key, _)| key.len() + 12);
    others.chain(flaws).sum()
}
