//! Turns readings into asset values: each reading goes to every asset that its device was linked to when it was
//! measured. One unit is a group of device partitions. A unit per partition would write one message for each pair of
//! device and asset partition, which is 256 messages per batch.

mod mapping;
mod output;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::directory::DirectoryView;
use domain::telemetry::{NormalizedPack, Origin, Reading, decode_pack};
use eventlog::{Message, PARTITIONS, Source, Stream};

use crate::metric_names;
use crate::stage::{Effects, Stage, StepContext, filters};
use output::Output;

/// The number of groups of device partitions; a partition belongs to the group `partition % GROUPS`.
pub const GROUPS: u16 = 4;

/// Returns the subject token under which a group writes the values of backup devices. Other values are written under
/// the group's own number.
pub const fn offers_source(group: u16) -> u16 {
    GROUPS + group
}

/// The stage that maps readings to assets.
#[derive(Clone, Copy, Debug, Default)]
pub struct AssetProcessor;

impl Stage for AssetProcessor {
    const NAME: &'static str = "asset_processor";
    const UNITS: u16 = GROUPS;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(150);
    type State = ();
    type Input = NormalizedPack;
    type Output = Output;

    fn sources(units: &BTreeSet<u16>) -> Vec<Source> {
        let partitions =
            |group| (0..PARTITIONS).filter(|partition| partition % GROUPS == group).map(|p| format!("{p}.*")).collect();
        vec![Source::filtered(Stream::TelemetryNormalized, filters::<Self>(units, partitions))]
    }

    fn unit(message: &Message) -> Option<u16> {
        let partition: u16 = message.subject_tail().split('.').next()?.parse().ok()?;
        Some(partition % GROUPS)
    }

    fn decode(message: &Message) -> Result<NormalizedPack, String> {
        decode_pack(&message.payload).map_err(|error| format!("{error}: {}", message.subject))
    }

    fn es_position(input: &NormalizedPack) -> u64 {
        input.es_position
    }

    fn step(&self, context: StepContext<'_, ()>, input: NormalizedPack, output: &mut Output) {
        let Some(group) = Self::unit(context.message) else { return };
        let es_position = context.unit.es_position(context.message, input.es_position);
        let directory = context.directory.as_of(es_position);
        let mut mark = context.unit.marks.of(&context.message.subject);
        let mut origin = Origin { sequence: context.message.sequence, ordinal: 0 };
        let mut writer = output.writer(group, context.message.sequence, es_position, &input.sets);
        let mut taken = 0;
        for reading in input.readings {
            if mark.admits(reading.origin) {
                taken += 1;
                write_linked_assets(directory, reading, &mut origin, &mut writer);
            }
        }
        metrics::counter!(metric_names::TAKEN, "stage" => Self::NAME).increment(taken);
    }

    fn effects(&self, output: Output) -> Effects {
        output.effects()
    }
}

/// Writes a reading to each asset in use that its device is linked to.
fn write_linked_assets(
    directory: DirectoryView<'_>,
    reading: Reading,
    origin: &mut Origin,
    writer: &mut output::AssetValueWriter<'_>,
) {
    for link in directory.links_of(reading.device) {
        if !link.is_valid_at(reading.measured_at) {
            continue;
        }
        let is_in_use = directory.asset(link.asset_id).is_some_and(|asset| !asset.retired);
        if is_in_use && writer.add(link, &reading, *origin) {
            origin.ordinal += 1;
        }
    }
}
