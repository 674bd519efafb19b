//! The whole chain of stages on an in-memory log: crashes, repetitions and batch sizes change nothing that a reader
//! observes.

use std::collections::BTreeMap;

use domain::ids::{AssetId, DeviceId};
use domain::telemetry::{AssetPack, NormalizedPack, decode_pack};
use eventlog::Stream;
use proptest::prelude::*;
use uuid::Uuid;

use crate::activity_creator::ActivityCreator;
use crate::asset_combiner::AssetCombiner;
use crate::asset_processor::AssetProcessor;
use crate::normalizer::Normalizer;
use crate::rule_evaluator::RuleEvaluator;
use crate::stage::{Command, HighWaterMarks};
use crate::testing::{MemoryLog, Plan, device, hot, pack, run_stage, sample_directory};

/// What readers of the streams observe, apart from origins and pack boundaries.
#[derive(Debug, Default, PartialEq)]
pub struct Observed {
    readings: BTreeMap<DeviceId, Vec<(i64, f64)>>,
    values: BTreeMap<AssetId, Vec<(i64, f64)>>,
    pub health: BTreeMap<AssetId, Vec<(Option<u8>, u8)>>,
    pub commands: BTreeMap<Uuid, Vec<Command>>,
}

fn observed(log: &MemoryLog, commands: Vec<Command>) -> Observed {
    let (mut observed, mut marks) = (Observed::default(), HighWaterMarks::default());
    for message in log.read(Stream::TelemetryNormalized) {
        let pack: NormalizedPack = decode_pack(&message.payload).unwrap();
        let mut mark = marks.of(&message.subject);
        for reading in pack.readings.iter().filter(|reading| mark.admits(reading.origin)) {
            observed
                .readings
                .entry(reading.device)
                .or_default()
                .push((reading.measured_at.timestamp(), reading.numbers[0]));
        }
    }
    for message in log.read(Stream::TelemetryAsset) {
        let pack: AssetPack = decode_pack(&message.payload).unwrap();
        let mut mark = marks.of(&message.subject);
        for reading in pack.readings.iter().filter(|reading| mark.admits(reading.origin)) {
            observed
                .values
                .entry(reading.asset)
                .or_default()
                .push((reading.measured_at.timestamp(), reading.numbers[0]));
        }
        for health in pack.health.iter().filter(|health| mark.admits(health.origin)) {
            observed.health.entry(health.asset).or_default().push((health.previous, health.score));
        }
    }
    for command in commands {
        observed.commands.entry(command.target()).or_default().push(command);
    }
    observed
}

pub fn run(samples: &[(u128, i64, f64)], plans: &[Plan]) -> Observed {
    let (directory, mut log) = (sample_directory(), MemoryLog::default());
    for some in samples.chunks(3) {
        // A device always uses the same shard, as one connection does.
        for shard in 0..2 {
            let of_shard = some.iter().filter(|(n, ..)| n % 2 == shard);
            let readings: Vec<_> = of_shard.map(|(n, at, value)| hot(device(*n), *at, *at + 1, *value)).collect();
            if !readings.is_empty() {
                log.store(Stream::TelemetryRaw, &shard.to_string(), pack(readings));
            }
        }
    }
    let mut commands = run_stage(&Normalizer::default(), &directory.0, &mut log, &plans[0]);
    commands.extend(run_stage(&AssetProcessor, &directory.0, &mut log, &plans[1]));
    commands.extend(run_stage(&AssetCombiner, &directory.0, &mut log, &plans[2]));
    commands.extend(run_stage(&RuleEvaluator, &directory.0, &mut log, &plans[3]));
    commands.extend(run_stage(&ActivityCreator, &directory.0, &mut log, &plans[4]));
    observed(&log, commands)
}

pub fn plan() -> impl Strategy<Value = Plan> {
    let batches = prop::collection::vec((1..6usize, prop::option::weighted(0.4, 0..4usize)), 0..30);
    (batches, 1..4usize).prop_map(|(batches, snapshot_every)| Plan { batches, snapshot_every })
}

proptest! {
    #[test]
    fn a_crash_between_any_two_steps_changes_nothing(
        samples in prop::collection::vec((0..6u128, 0..60i64, prop_oneof![Just(20.0), Just(70.0), Just(82.0), Just(95.0)]), 1..60),
        plans in prop::collection::vec(plan(), 5),
    ) {
        let straight = run(&samples, &vec![Plan::straight(); 5]);
        prop_assert_eq!(run(&samples, &plans), straight);
    }
}

#[test]
fn the_sample_run_produces_alarms_and_activities() {
    let samples: Vec<_> = (0..60).map(|n| (1, n, if n % 10 < 5 { 95.0 } else { 20.0 })).collect();
    let observed = run(&samples, &vec![Plan::straight(); 5]);
    assert_eq!((observed.readings.len(), observed.values.len(), observed.health.len()), (1, 1, 1));
    let alarms =
        observed.commands.values().flatten().filter(|command| matches!(command, Command::Alarm { .. })).count();
    let activities =
        observed.commands.values().flatten().filter(|command| matches!(command, Command::Activity { .. })).count();
    assert!(alarms > 20 && activities > 8, "{alarms} {activities}");
}
