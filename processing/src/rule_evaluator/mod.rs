//! Evaluates rules on readings, asset values, health and presence; produces threshold events and alarm commands. One
//! unit is one partition of entities: the readings and presence of its devices, the values of its assets. The state of
//! an entity depends on one input stream only, so the interleaving of the streams does not matter. The ticks of the
//! log's clock are in both telemetry streams.

#[cfg(test)]
mod clock_tests;
mod input;
mod output;
mod presence;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::directory::Directory;
use domain::telemetry::{AssetPack, NormalizedPack, PresenceFact};
use eventlog::{Message, PARTITIONS, Source, Stream};

use crate::metric_names;
use crate::stage::{Effects, Stage, StepContext, filters, subject_partition};
use input::{ClockedStream, Entity, Input, Observation};
use output::{ChangeWriter, Output};
pub use state::State;

/// The metric name of an asset's health score in rules.
const HEALTH_SCORE: &str = "health_score";
/// Name of the stage; actor of its commands.
const NAME: &str = "rule_evaluator";

/// The stage that evaluates rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleEvaluator;

impl Stage for RuleEvaluator {
    const NAME: &'static str = NAME;
    const UNITS: u16 = PARTITIONS;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(50);
    type State = State;
    type Input = Input;
    type Output = Output;

    fn sources(units: &BTreeSet<u16>) -> Vec<Source> {
        let packs = || filters::<Self>(units, |partition| vec![format!("{partition}.*")]);
        let presence = filters::<Self>(units, |partition| vec![partition.to_string()]);
        vec![
            Source::filtered(Stream::TelemetryNormalized, packs()),
            Source::filtered(Stream::TelemetryAsset, packs()),
            Source::filtered(Stream::Presence, presence),
        ]
    }

    fn unit(message: &Message) -> Option<u16> {
        subject_partition(message)
    }

    fn decode(message: &Message) -> Result<Input, String> {
        input::decode(message)
    }

    fn es_position(input: &Input) -> u64 {
        match input {
            Input::Devices(pack) => pack.es_position,
            Input::Assets(pack) => pack.es_position,
            Input::Presence(_) => 0,
        }
    }

    fn step(&self, context: StepContext<'_, State>, input: Input, output: &mut Output) {
        let Some(partition) = Self::unit(context.message) else { return };
        // Each input stream writes under its own source token, so that origins increase within each subject.
        let taken = match input {
            Input::Devices(pack) => evaluate_devices(context, &pack, output.writer(partition, partition)),
            Input::Assets(pack) => evaluate_assets(context, &pack, output.writer(partition, PARTITIONS + partition)),
            Input::Presence(facts) => {
                evaluate_presence(context, &facts, output.writer(partition, 2 * PARTITIONS + partition))
            }
        };
        metrics::counter!(metric_names::TAKEN, "stage" => NAME).increment(taken);
    }

    fn effects(&self, output: Output) -> Effects {
        output.effects()
    }
}

fn evaluate_devices(context: StepContext<'_, State>, pack: &NormalizedPack, mut writer: ChangeWriter<'_>) -> u64 {
    let es_position = context.unit.es_position(context.message, pack.es_position);
    let directory = context.directory.as_of(es_position);
    let mut mark = context.unit.marks.of(&context.message.subject);
    writer.begin(context.message.sequence, es_position);
    let mut taken = 0;
    for reading in pack.readings.iter().filter(|reading| mark.admits(reading.origin)) {
        taken += 1;
        let observation = Observation {
            organization: reading.organization,
            entity: Entity::Device(reading.device),
            measured_at: reading.measured_at,
            received_at: reading.received_at,
        };
        let value = |metric: &str| input::value(pack.sets.keys(reading.set), &reading.numbers, &reading.others, metric);
        context.unit.state.evaluate(directory, observation, value, &mut writer);
    }
    if let Some(tick) = pack.tick.filter(|tick| mark.admits(tick.origin)) {
        context.unit.state.tick(directory, (ClockedStream::Devices, tick.at), &mut writer);
    }
    taken
}

fn evaluate_assets(context: StepContext<'_, State>, pack: &AssetPack, mut writer: ChangeWriter<'_>) -> u64 {
    let es_position = context.unit.es_position(context.message, pack.es_position);
    let directory = context.directory.as_of(es_position);
    let mut mark = context.unit.marks.of(&context.message.subject);
    writer.begin(context.message.sequence, es_position);
    let mut taken = 0;
    for reading in pack.readings.iter().filter(|reading| mark.admits(reading.origin)) {
        taken += 1;
        let observation = Observation {
            organization: reading.organization,
            entity: Entity::Asset(reading.asset),
            measured_at: reading.measured_at,
            received_at: reading.received_at,
        };
        let value = |metric: &str| input::value(pack.sets.keys(reading.set), &reading.numbers, &reading.others, metric);
        context.unit.state.evaluate(directory, observation, value, &mut writer);
    }
    for health in pack.health.iter().filter(|health| mark.admits(health.origin)) {
        taken += 1;
        let observation = Observation {
            organization: health.organization,
            entity: Entity::Asset(health.asset),
            measured_at: health.measured_at,
            received_at: context.message.published_at,
        };
        let value = |metric: &str| (metric == HEALTH_SCORE).then_some(f64::from(health.score));
        context.unit.state.evaluate(directory, observation, value, &mut writer);
    }
    if let Some(tick) = pack.tick.filter(|tick| mark.admits(tick.origin)) {
        context.unit.state.tick(directory, (ClockedStream::Assets, tick.at), &mut writer);
    }
    taken
}

fn evaluate_presence(context: StepContext<'_, State>, facts: &[PresenceFact], mut writer: ChangeWriter<'_>) -> u64 {
    let es_position = context.unit.es_position(context.message, context.directory.position());
    writer.begin(context.message.sequence, es_position);
    for fact in facts {
        for offline in context.unit.state.presence.observe(fact) {
            if is_in_service(context.directory, &offline) {
                writer.write_offline(&offline);
            }
        }
    }
    facts.len() as u64
}

/// Whether a device is in service. A decommissioned device goes offline on purpose and raises no event.
fn is_in_service(directory: &Directory, offline: &presence::WentOffline) -> bool {
    directory.device_now(offline.device).is_some_and(|device| !device.decommissioned)
}
