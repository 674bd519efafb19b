//! Computes values from asset values: formula metrics, composites of child assets, values of backup devices while the
//! primary ones are silent, and health scores. It reads the asset stream rather than being part of the asset processor,
//! because an asset may have devices in several partitions, and only here do all its values arrive in one order. One
//! unit is one asset partition; a child's values reach the partition of its parent through the same stream.

mod output;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::telemetry::{AssetPack, Origin, decode_pack};
use eventlog::{Message, PARTITIONS, Source, Stream};

use crate::asset_processor::{GROUPS, offers_source};
use crate::metric_names;
use crate::stage::{Effects, Stage, StepContext, filters};
use output::Output;
use state::MessageContext;
pub use state::State;

/// Subject token of health scores in the asset stream.
pub const HEALTH_SOURCE: &str = "16";
/// Subject token of accepted backup values.
pub const ACCEPTED_SOURCE: u16 = 18;
/// Subject token of the values that a partition's assets report to their parents: this number plus the partition's.
const CHILDREN_SOURCES: u16 = 32;

/// The stage that computes values and health.
#[derive(Clone, Copy, Debug, Default)]
pub struct AssetCombiner;

impl Stage for AssetCombiner {
    const NAME: &'static str = "asset_combiner";
    const UNITS: u16 = PARTITIONS;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(150);
    type State = State;
    type Input = AssetPack;
    type Output = Output;

    fn sources(units: &BTreeSet<u16>) -> Vec<Source> {
        let inputs = |partition| inputs().map(|source| format!("{partition}.{source}")).collect();
        vec![Source::filtered(Stream::TelemetryAsset, filters::<Self>(units, inputs))]
    }

    fn unit(message: &Message) -> Option<u16> {
        let (partition, _) = message.subject_tail().split_once('.')?;
        source(message).filter(|source| inputs().any(|input| input == *source))?;
        partition.parse().ok()
    }

    fn decode(message: &Message) -> Result<AssetPack, String> {
        decode_pack(&message.payload).map_err(|error| format!("{error}: {}", message.subject))
    }

    fn es_position(input: &AssetPack) -> u64 {
        input.es_position
    }

    fn step(&self, context: StepContext<'_, State>, input: AssetPack, output: &mut Output) {
        let Some(partition) = Self::unit(context.message) else { return };
        let es_position = context.unit.es_position(context.message, input.es_position);
        let mut mark = context.unit.marks.of(&context.message.subject);
        let first = Origin { sequence: context.message.sequence, ordinal: 0 };
        let mut message =
            MessageContext::new(context.directory.as_of(es_position), output.writer(partition, es_position, first));
        let from_backup = source(context.message) == Some(ACCEPTED_SOURCE);
        let mut taken = 0;
        for reading in input.readings.iter().filter(|reading| mark.admits(reading.origin)) {
            taken += 1;
            context.unit.state.observe(&mut message, reading, &input.sets, from_backup);
        }
        for offer in input.offers.iter().filter(|offer| mark.admits(offer.origin)) {
            taken += 1;
            context.unit.state.offer_backup(&mut message, offer, &input.sets);
        }
        // Children are collected first: the reports of one message cause one computation of their parent.
        for child in input.children.iter().filter(|child| mark.admits(child.origin)) {
            taken += 1;
            context.unit.state.receive_child_values(&mut message, child);
        }
        context.unit.state.finish(message);
        metrics::counter!(metric_names::TAKEN, "stage" => Self::NAME).increment(taken);
    }

    fn effects(&self, output: Output) -> Effects {
        output.effects()
    }
}

/// Returns the source token of a message; `None` for clock ticks.
fn source(message: &Message) -> Option<u16> {
    message.subject_tail().split_once('.')?.1.parse().ok()
}

/// Lists the source tokens that are read: direct values, backup offers, accepted ones, and reports of child assets.
fn inputs() -> impl Iterator<Item = u16> {
    (0..GROUPS)
        .chain((0..GROUPS).map(offers_source))
        .chain([ACCEPTED_SOURCE])
        .chain((0..PARTITIONS).map(|partition| CHILDREN_SOURCES + partition))
}
