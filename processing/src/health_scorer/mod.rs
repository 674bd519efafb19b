//! Asset values in, health scores out. It stands behind the asset stream and not in the asset processor, because an
//! asset may have devices of several partitions, and only here all its values pass one place in one order. One unit is
//! one asset partition.

mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::asset_type::HealthModel;
use domain::directory::Directory;
use domain::ids::AssetId;
use domain::telemetry::{AssetHealthChanged, AssetPack, MetricSets, Origin, decode_pack, encode_pack};
use eventlog::{Message, PARTITIONS, Source, Stream};
use tracing::error;

use crate::asset_processor::GROUPS;
use crate::metric_names;
use crate::stage::{Effects, Stage, Step, filters};
pub use state::State;

/// Subject token that names this stage as the source of health in the asset stream.
pub const SOURCE: &str = "16";
/// Most changes of one pack, some 150 bytes each.
const MAX_CHANGES: usize = 1_000;

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct HealthScorer;

/// Changes by asset partition, and by the position of the directory they were found with.
#[derive(Default)]
pub struct Output(BTreeMap<u16, Vec<AssetPack>>);

impl Stage for HealthScorer {
    const NAME: &'static str = "health_scorer";
    const UNITS: u16 = PARTITIONS;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(150);
    type State = State;
    type Input = AssetPack;
    type Output = Output;

    fn sources(units: &BTreeSet<u16>) -> Vec<Source> {
        let values = |partition| (0..GROUPS).map(|group| format!("{partition}.{group}")).collect();
        vec![Source::filtered(Stream::TelemetryAsset, filters::<Self>(units, values))]
    }

    fn unit(message: &Message) -> Option<u16> {
        let (partition, source) = message.subject_tail().split_once('.')?;
        if source == SOURCE { None } else { partition.parse().ok() }
    }

    fn decode(message: &Message) -> Result<AssetPack, String> {
        decode_pack(&message.payload).map_err(|error| format!("{error}: {}", message.subject))
    }

    fn es_position(input: &AssetPack) -> u64 {
        input.es_position
    }

    fn step(&self, at: Step<'_, State>, input: AssetPack, output: &mut Output) {
        let Some(partition) = Self::unit(at.message) else { return };
        let es_position = at.slot.es_position(at.message, input.es_position);
        let mut mark = at.slot.marks.of(&at.message.subject);
        let mut origin = Origin { sequence: at.message.sequence, ordinal: 0 };
        let mut taken = 0;
        for reading in &input.readings {
            if !mark.admits(reading.origin) {
                continue;
            }
            taken += 1;
            let Some(model) = model(at.directory, reading.asset, es_position) else { continue };
            if let Some(change) = at.slot.state.observe(model, reading, &input.sets, origin) {
                output.add(partition, es_position, change);
                origin.ordinal += 1;
            }
        }
        metrics::counter!(metric_names::TAKEN, "stage" => Self::NAME).increment(taken);
    }

    fn effects(&self, output: Output) -> Effects {
        let mut effects = Effects::default();
        for (partition, pack) in
            output.0.into_iter().flat_map(|(partition, packs)| packs.into_iter().map(move |pack| (partition, pack)))
        {
            match encode_pack(&pack) {
                Ok(bytes) => effects.publish(Stream::TelemetryAsset, format!("{partition}.{SOURCE}"), bytes),
                Err(failure) => error!(error = &failure as &dyn std::error::Error, "a pack is not writable"),
            }
        }
        effects
    }
}

impl Output {
    fn add(&mut self, partition: u16, es_position: u64, change: AssetHealthChanged) {
        let packs = self.0.entry(partition).or_default();
        let before = change.origin.sequence.saturating_sub(1);
        match packs.last_mut() {
            Some(pack) if pack.es_position == es_position && pack.health.len() < MAX_CHANGES => {
                pack.read_up_to = before;
                pack.health.push(change);
            }
            _ => packs.push(AssetPack {
                es_position,
                read_up_to: before,
                sets: MetricSets::default(),
                readings: vec![],
                health: vec![change],
                tick: None,
            }),
        }
    }
}

fn model(directory: &Directory, asset: AssetId, at: u64) -> Option<&HealthModel> {
    let asset_type = directory.asset(asset, at)?.asset_type;
    directory.asset_type(asset_type, at)?.health_model.as_ref()
}
