//! Effects of time, shelving and service state: silences, alarms whose rule or entity is gone, suppressed alarms.

use domain::alarm::AlarmCommand;
use domain::alarming::{Severity, Suppression, alarm_id};
use domain::ids::RuleId;
use domain::telemetry::{CLOCK_SOURCE, ClockTick, ThresholdEvent, Transition, decode_pack, encode_pack};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::normalizer::Normalizer;
use crate::stage::Command;
use crate::testing::{
    DEVICE_TYPE, MemoryLog, Plan, TestDirectory, asset, at, device, hot, pack, run_stage, sample_directory,
};

const SILENT: u128 = 77;

/// One entry of the log: a reading (device, second, temperature) or a tick (second).
#[derive(Clone, Copy, Debug)]
enum LogEntry {
    Read(u128, i64, f64),
    Tick(i64),
}
use LogEntry::{Read, Tick};

/// Stores the entries as the normalizer and the ticker do.
fn log_of(directory: &TestDirectory, entries: &[LogEntry]) -> MemoryLog {
    let mut all = MemoryLog::default();
    for one in entries {
        match one {
            Read(n, measured, temperature) => {
                let mut log = MemoryLog::default();
                let raw = vec![hot(device(*n), *measured, *measured, *temperature)];
                let message = log.store(Stream::TelemetryRaw, "0", pack(raw));
                let later = Message { sequence: all.read(Stream::TelemetryNormalized).len() as u64 + 1, ..message };
                for normalized in normalized(directory, later) {
                    all.store(Stream::TelemetryNormalized, normalized.subject_tail(), normalized.payload.clone());
                }
            }
            Tick(seconds) => {
                let tick = Some(ClockTick::new(at(*seconds)));
                let pack = NormalizedPack { es_position: directory.0.position(), tick, ..NormalizedPack::default() };
                let pack = encode_pack(&pack).unwrap();
                (0..PARTITIONS).for_each(|partition| {
                    let tail = format!("{partition}.{CLOCK_SOURCE}");
                    drop(all.store(Stream::TelemetryNormalized, &tail, pack.clone()));
                });
            }
        }
    }
    all
}

fn normalized(directory: &TestDirectory, message: Message) -> Vec<Message> {
    let mut unit_states = (0..PARTITIONS).map(|unit| (unit, crate::stage::UnitState::default())).collect();
    let input = Normalizer::decode(&message).unwrap();
    let unit = Normalizer::unit(&message).unwrap();
    let effects =
        crate::stage::compute(&Normalizer::default(), &directory.0, &mut unit_states, [(unit, &message, input)]);
    let mut log = MemoryLog::default();
    for ((stream, tail), payloads) in effects.messages {
        payloads.into_iter().for_each(|payload| drop(log.store(stream, &tail, payload)));
    }
    log.read(Stream::TelemetryNormalized).to_vec()
}

fn run(directory: &TestDirectory, entries: &[LogEntry]) -> (Vec<AlarmCommand>, Vec<ThresholdEvent>) {
    let mut log = log_of(directory, entries);
    let commands = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let commands = commands.into_iter().map(|command| match command {
        Command::Alarm { command, .. } => command,
        other => panic!("{other:?}"),
    });
    let read = |message: &Message| serde_json::from_slice::<Vec<ThresholdEvent>>(&message.payload).unwrap();
    (commands.collect(), log.read(Stream::EventsThreshold).iter().flat_map(read).collect())
}

/// Names the kinds of the commands.
fn steps(commands: &[AlarmCommand]) -> Vec<&'static str> {
    let name = |command: &AlarmCommand| match command {
        AlarmCommand::RaiseAlarm { .. } => "raise",
        AlarmCommand::RepeatAlarm { .. } => "repeat",
        AlarmCommand::ReturnToNormal { .. } => "return",
        AlarmCommand::SuppressAlarm { suppression: Some(_) } => "suppress",
        AlarmCommand::SuppressAlarm { suppression: None } => "unsuppress",
        AlarmCommand::SupersedeAlarm { .. } => "supersede",
        other => panic!("{other:?}"),
    };
    commands.iter().map(name).collect()
}

/// Returns a directory with a rule that raises an alarm after 30 s without a temperature.
fn with_silence_rule() -> TestDirectory {
    let mut directory = sample_directory();
    directory.rule(SILENT, "device", None, "temperature", json!({"no_data_seconds": 30}), json!({"type": "none"}));
    directory
}

#[test]
fn ticks_detect_a_silence_and_a_reading_ends_it() {
    let entries = [Tick(0), Read(1, 0, 20.0), Tick(10), Tick(20), Tick(29), Tick(30), Tick(35), Read(1, 36, 21.0)];
    let (commands, events) = run(&with_silence_rule(), &entries);
    assert_eq!(steps(&commands), ["raise", "return"]);
    let AlarmCommand::RaiseAlarm { breach, .. } = &commands[0] else { panic!("{commands:?}") };
    assert_eq!((breach.raised_at, breach.value, breach.entity_id), (at(30), 20.0, device(1).0));
    assert_eq!(events.iter().map(|event| event.measured_at).collect::<Vec<_>>(), [at(30), at(36)]);
}

#[test]
fn downtime_of_the_platform_does_not_count_as_silence() {
    let entries = [Tick(0), Read(1, 0, 20.0), Tick(1_000), Tick(1_010), Tick(1_029)];
    assert_eq!(run(&with_silence_rule(), &entries).0, []);
}

#[test]
fn the_alarm_of_a_decommissioned_device_ends_with_the_next_tick() {
    let mut directory = sample_directory();
    let before = log_of(&directory, &[Read(1, 1, 90.0)]);
    directory.apply(device(1).0, "device", "DeviceDecommissioned", json!({"reason": "old"}));
    let after = log_of(&directory, &[Tick(5)]);
    let mut log = before;
    for message in after.read(Stream::TelemetryNormalized) {
        log.store(Stream::TelemetryNormalized, message.subject_tail(), message.payload.clone());
    }
    let given = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    assert_eq!(given.len(), 2, "{given:?}");
    let Command::Alarm { command: AlarmCommand::ReturnToNormal { value: None, at: ended, .. }, .. } = &given[1] else {
        panic!("{given:?}")
    };
    assert_eq!(*ended, at(5));
}

#[test]
fn within_the_cooldown_an_alarm_repeats_without_an_event_and_a_later_one_supersedes_it() {
    // The cooldown of the sample rules is 3 s.
    let entries = [(0, 90.0), (1, 20.0), (2, 91.0), (3, 20.0), (4, 92.0)].map(|(second, value)| Read(1, second, value));
    let (commands, events) = run(&sample_directory(), &entries);
    assert_eq!(steps(&commands), ["raise", "return", "repeat", "return", "raise", "supersede"]);
    let seen: Vec<_> = events.iter().map(|event| (event.transition, event.measured_at)).collect();
    let (breach, normal) = (Transition::ThresholdBreach, Transition::ReturnToNormal);
    assert_eq!(seen, [(breach, at(0)), (normal, at(1)), (breach, at(4))]);
    let next = alarm_id(RuleId(Uuid::from_u128(1)), device(1).0, 2);
    assert!(commands.contains(&AlarmCommand::SupersedeAlarm { by: next }));
}

#[test]
fn alarms_of_an_asset_out_of_service_are_suppressed_until_it_returns() {
    let mut directory = sample_directory();
    directory.apply(asset(1), "asset", "AssetTakenOutOfService", json!({"reason": "overhaul"}));
    let mut log = log_of(&directory, &[Read(1, 0, 90.0)]);
    directory.apply(asset(1), "asset", "AssetReturnedToService", json!({}));
    let after = log_of(&directory, &[Tick(5)]);
    for message in after.read(Stream::TelemetryNormalized) {
        log.store(Stream::TelemetryNormalized, message.subject_tail(), message.payload.clone());
    }
    let given = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let commands = given.into_iter().map(|command| match command {
        Command::Alarm { command, .. } => command,
        other => panic!("{other:?}"),
    });
    let commands = commands.collect::<Vec<_>>();
    assert_eq!(steps(&commands), ["raise", "unsuppress"]);
    assert!(
        matches!(commands[0], AlarmCommand::RaiseAlarm { suppression: Some(Suppression::OutOfService), .. }),
        "a device is out of service when all its assets are"
    );
    let events: Vec<ThresholdEvent> = log
        .read(Stream::EventsThreshold)
        .iter()
        .flat_map(|message| serde_json::from_slice::<Vec<ThresholdEvent>>(&message.payload).unwrap())
        .collect();
    assert_eq!(events.iter().map(|event| event.measured_at).collect::<Vec<_>>(), [at(5)]);
}

#[test]
fn shelving_ends_at_its_time() {
    let mut directory = sample_directory();
    let rule = Uuid::from_u128(1);
    let shelved = json!({"rule_id": rule, "entity_id": device(1), "until": at(10), "reason": "cleaning"});
    directory.apply(Uuid::from_u128(5), "shelving", "AlarmsShelved", shelved);
    let (commands, events) = run(&directory, &[Read(1, 0, 90.0), Tick(5), Tick(9), Tick(10), Read(1, 11, 20.0)]);
    assert_eq!(steps(&commands), ["raise", "unsuppress", "return"]);
    assert_eq!(events.iter().map(|event| event.measured_at).collect::<Vec<_>>(), [at(10), at(11)]);
    let (commands, _) = run(&directory, &[Read(2, 0, 90.0)]);
    assert!(matches!(commands[0], AlarmCommand::RaiseAlarm { suppression: None, .. }), "another device is not shelved");
}

#[test]
fn suppressions_of_an_alarm_whose_device_is_ahead_are_separate_commands() {
    let mut directory = sample_directory();
    let shelved = json!({"rule_id": Uuid::from_u128(1), "entity_id": device(1), "until": at(10), "reason": "cleaning"});
    directory.apply(Uuid::from_u128(5), "shelving", "AlarmsShelved", shelved);
    // Both changes have the time of the newest reading.
    let mut log = log_of(&directory, &[Read(1, 100, 90.0), Tick(5), Tick(10)]);
    let given = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let ids = given.iter().map(|command| match command {
        Command::Alarm { command_id, .. } => *command_id,
        other => panic!("{other:?}"),
    });
    assert_eq!((given.len(), ids.collect::<BTreeSet<_>>().len()), (3, 3), "{given:?}");
}

#[test]
fn the_alarm_of_a_rule_that_is_edited_paused_and_resumed_stays_until_an_edit_ends_its_breach() {
    let mut directory = sample_directory();
    let rule = Uuid::from_u128(1);
    let condition = |limit: f64| json!({"metric_key": "temperature", "condition": {"operator": ">", "value": limit}});
    let mut log = log_of(&directory, &[Read(1, 0, 100.0)]);
    let steps_after = [
        ("RuleConditionChanged", condition(90.0), vec![Tick(5), Read(1, 6, 95.0)]),
        ("RuleSeverityChanged", json!({"severity": "low"}), vec![Read(1, 7, 96.0)]),
        ("RuleDeactivated", json!({}), vec![Tick(10), Read(1, 11, 20.0), Read(1, 12, 97.0)]),
        ("RuleActivated", json!({}), vec![Tick(15)]),
        ("RuleConditionChanged", condition(120.0), vec![Tick(20), Read(1, 21, 119.0)]),
    ];
    for (event, payload, entries) in steps_after {
        directory.apply(rule, "rule", event, payload);
        for message in log_of(&directory, &entries).read(Stream::TelemetryNormalized) {
            let pack: NormalizedPack = decode_pack(&message.payload).unwrap();
            let first = log.read(Stream::TelemetryNormalized).len() as u64;
            log.store(Stream::TelemetryNormalized, message.subject_tail(), renumbered(pack, first));
        }
    }
    let given = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let commands = given.into_iter().map(|command| match command {
        Command::Alarm { command, .. } => command,
        other => panic!("{other:?}"),
    });
    let commands = commands.collect::<Vec<_>>();
    assert_eq!(steps(&commands), ["raise", "return"]);
    assert!(matches!(commands[1], AlarmCommand::ReturnToNormal { value: None, at: ended, .. } if ended == at(20)));
    let read = |message: &Message| serde_json::from_slice::<Vec<ThresholdEvent>>(&message.payload).unwrap();
    let severities = log.read(Stream::EventsThreshold).iter().flat_map(read).map(|event| event.severity);
    assert_eq!(severities.collect::<Vec<_>>(), [Severity::High; 2], "the alarm's, not the rule's present one");
}

/// Gives the readings of a pack origins after those of the messages before it.
fn renumbered(mut pack: NormalizedPack, first: u64) -> Vec<u8> {
    pack.readings.iter_mut().for_each(|reading| reading.origin.sequence += first);
    encode_pack(&pack).unwrap()
}

#[test]
fn a_rule_for_a_type_watches_only_that_type() {
    let mut directory = sample_directory();
    for (id, of_type) in [(81, DEVICE_TYPE), (82, Uuid::from_u128(0xd1))] {
        let definition = json!({"name": "typed", "entity_type": "device", "type_id": of_type, "metric_key": "temperature",
            "condition": {"operator": ">", "value": 10.0}, "severity": "low", "action": {"type": "none"},
            "cooldown_seconds": 0, "is_active": true});
        directory.apply(Uuid::from_u128(id), "rule", "RuleDefined", json!({ "definition": definition }));
    }
    let (commands, _) = run(&directory, &[Read(1, 0, 20.0)]);
    let [AlarmCommand::RaiseAlarm { breach, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(breach.rule_id, RuleId(Uuid::from_u128(81)));
}

fn log_entries() -> impl Strategy<Value = Vec<LogEntry>> {
    let one = (1..15i64, 0..3u128, prop::option::weighted(0.6, prop_oneof![Just(20.0), Just(90.0)]));
    prop::collection::vec(one, 1..40).prop_map(|steps| {
        let mut now = 0;
        let placed = steps.into_iter().map(|(step, n, value)| {
            now += step;
            value.map_or(Tick(now), |value| Read(n, now, value))
        });
        placed.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batching_and_crashes_do_not_change_the_effects_of_time(
        entries in log_entries(),
        batches in prop::collection::vec((1..9usize, prop::option::weighted(0.3, 0..3usize)), 0..30),
        snapshot_every in 1..4usize,
    ) {
        let directory = with_silence_rule();
        let log = log_of(&directory, &entries);
        let (mut straight, mut split) = (log.clone(), log);
        let expected = run_stage(&RuleEvaluator, &directory.0, &mut straight, &Plan::straight());
        let given = run_stage(&RuleEvaluator, &directory.0, &mut split, &Plan { batches, snapshot_every });
        let by_target = |mut commands: Vec<Command>| { commands.sort_by_key(Command::target); commands };
        prop_assert_eq!(by_target(given), by_target(expected));
    }
}
