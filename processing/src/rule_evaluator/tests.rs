//! Readings, asset values, health and presence in; alarm commands and threshold events out.

use domain::alarm::AlarmCommand;
use domain::alarming::alarm_id;
use domain::ids::{DeviceId, RuleId, SessionId};
use domain::telemetry::{Origin, PresenceKind, ThresholdEvent, Transition};
use eventlog::Stream;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::normalizer::Normalizer;
use crate::stage::Command;
use crate::testing::{
    ACME, MemoryLog, Plan, RETIRED, TestDirectory, asset, at, device, hot, pack, run_stage, sample_directory,
};

fn readings(directory: &TestDirectory, readings: &[(u128, i64, f64)]) -> MemoryLog {
    let mut log = MemoryLog::default();
    for (n, measured, temperature) in readings {
        log.store(Stream::TelemetryRaw, "0", pack(vec![hot(device(*n), *measured, *measured + 1, *temperature)]));
    }
    run_stage(&Normalizer::default(), &directory.0, &mut log, &Plan::straight());
    log
}

fn events(log: &MemoryLog) -> Vec<ThresholdEvent> {
    let read = |message: &Message| serde_json::from_slice::<Vec<ThresholdEvent>>(&message.payload).unwrap();
    log.read(Stream::EventsThreshold).iter().flat_map(read).collect()
}

#[test]
fn a_breach_raises_an_alarm_and_its_end_returns_it_to_normal() {
    let directory = sample_directory();
    let mut log = readings(&directory, &[(1, 0, 20.0), (1, 1, 90.0), (1, 2, 95.0), (1, 3, 30.0)]);
    let commands = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let alarm = alarm_id(RuleId(Uuid::from_u128(1)), device(1).0, 1);
    let [
        Command::Alarm {
            organization,
            id,
            command: AlarmCommand::RaiseAlarm { breach, suppression: None },
            command_id: raise,
        },
        returned,
    ] = &commands[..]
    else {
        panic!("{commands:?}")
    };
    assert_eq!((*organization, *id), (ACME, alarm));
    assert_eq!((breach.value, breach.started_at, breach.raised_at, breach.episode), (90.0, at(1), at(1), 1));
    let Command::Alarm {
        id, command: AlarmCommand::ReturnToNormal { value, at: ended, repeats: 0 }, command_id, ..
    } = returned
    else {
        panic!("{returned:?}")
    };
    assert_eq!((*id, *value, *ended), (alarm, Some(30.0), at(3)));
    assert_ne!(command_id, raise);
    let events = events(&log);
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.transition, event.alarm_id, event.value, event.measured_at, event.received_at))
        .collect();
    let expected = [
        (Transition::ThresholdBreach, Some(alarm), Some(90.0), at(1), at(2)),
        (Transition::ReturnToNormal, Some(alarm), Some(30.0), at(3), at(4)),
    ];
    assert_eq!(seen, expected);
    assert_eq!((events[0].rule_name.as_deref(), events[0].es_position), (Some("rule 1"), directory.0.position()));
    assert_eq!(log.read(Stream::EventsThreshold)[0].subject_tail(), "1.1");
}

#[test]
fn another_value_of_the_same_second_raises_the_alarm() {
    let directory = sample_directory();
    let mut log = readings(&directory, &[(1, 1, 20.0), (1, 1, 95.0), (1, 1, 95.0)]);
    let commands = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let [Command::Alarm { command: AlarmCommand::RaiseAlarm { breach, .. }, .. }] = &commands[..] else {
        panic!("{commands:?}")
    };
    assert_eq!((breach.value, breach.raised_at), (95.0, at(1)));
}

#[test]
fn a_reading_without_rules_leaves_no_state() {
    let mut directory = sample_directory();
    directory.apply(Uuid::from_u128(1), "rule", "RuleDeactivated", json!({}));
    let mut log = readings(&directory, &[(1, 1, 90.0)]);
    let message =
        log.store(Stream::TelemetryNormalized, "1.0", log.read(Stream::TelemetryNormalized)[0].payload.clone());
    let mut unit_states = [(1, crate::stage::UnitState::<State>::default())].into();
    let input = RuleEvaluator::decode(&message).unwrap();
    crate::stage::compute(&RuleEvaluator, &directory.0, &mut unit_states, [(1, &message, input)]);
    assert_eq!(unit_states[&1].state, State::default());
}

#[test]
fn the_alarm_of_a_retired_rule_ends_with_the_next_reading() {
    let mut directory = sample_directory();
    let mut log = readings(&directory, &[(1, 1, 90.0)]);
    directory.apply(Uuid::from_u128(1), "rule", "RuleRetired", json!({}));
    log.store(Stream::TelemetryRaw, "0", pack(vec![hot(device(1), 5, 6, 91.0)]));
    run_stage(&Normalizer::default(), &directory.0, &mut log, &Plan { batches: vec![], snapshot_every: 1 });
    // The first reading was normalised twice; the result with the older directory came first and counts.
    run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let seen: Vec<_> = events(&log).iter().map(|event| (event.transition, event.value, event.measured_at)).collect();
    assert_eq!(seen, [(Transition::ThresholdBreach, Some(90.0), at(1)), (Transition::ReturnToNormal, None, at(5))]);
}

fn fact(kind: PresenceKind, device: DeviceId, session: u128, seconds: i64, reason: Option<&str>) -> PresenceFact {
    PresenceFact {
        kind,
        organization: Some(ACME),
        device: Some(device),
        session: Some(SessionId(Uuid::from_u128(session))),
        edge: "edge-1".into(),
        at: at(seconds),
        reason: reason.map(str::to_owned),
    }
}

fn offline(facts: &[PresenceFact]) -> Vec<(Uuid, i64)> {
    let seconds = |event: &ThresholdEvent| (event.measured_at - at(0)).num_seconds();
    offline_events(facts).iter().map(|event| (event.entity_id, seconds(event))).collect()
}

fn offline_events(facts: &[PresenceFact]) -> Vec<ThresholdEvent> {
    let mut log = MemoryLog::default();
    for fact in facts {
        log.store(Stream::Presence, "1", serde_json::to_vec(&[fact]).unwrap());
    }
    run_stage(&RuleEvaluator, &sample_directory().0, &mut log, &Plan::straight());
    events(&log).into_iter().filter(|event| event.transition == Transition::DeviceOffline).collect()
}

#[test]
fn a_device_that_goes_offline_says_why() {
    use PresenceKind::{Connected, Disconnected, EdgeLost};
    let facts = [
        fact(Connected, device(1), 1, 1, None),
        fact(Disconnected, device(1), 1, 2, Some("retain_not_supported")),
        fact(Connected, device(1), 2, 3, None),
        PresenceFact { device: None, session: None, ..fact(EdgeLost, device(1), 0, 4, None) },
    ];
    let reasons: Vec<_> = offline_events(&facts).into_iter().map(|event| event.reason.unwrap()).collect();
    assert_eq!(reasons, ["retain_not_supported", "edge_lost"]);
}

#[test]
fn a_device_goes_offline_once_when_its_current_session_ends() {
    use PresenceKind::{Connected, Disconnected, Silent};
    let facts = [
        fact(Disconnected, device(1), 9, 0, None),
        fact(Connected, device(1), 1, 1, None),
        fact(Disconnected, device(1), 1, 2, Some("taken_over")),
        fact(Connected, device(1), 2, 3, None),
        fact(Disconnected, device(1), 1, 4, Some("connection_lost")),
        fact(Silent, device(1), 2, 5, Some("timeout")),
        fact(Silent, device(1), 2, 5, Some("timeout")),
        fact(Connected, RETIRED, 7, 6, None),
        fact(Disconnected, RETIRED, 7, 7, Some("revoked")),
    ];
    assert_eq!(offline(&facts), [(device(1).0, 5)]);
}

#[test]
fn a_lost_edge_takes_its_devices_offline() {
    let lost = PresenceFact {
        device: None,
        session: None,
        organization: None,
        ..fact(PresenceKind::EdgeLost, device(0), 0, 9, None)
    };
    let other = PresenceFact { edge: "edge-2".into(), ..fact(PresenceKind::Connected, device(3), 3, 1, None) };
    let facts = [
        fact(PresenceKind::Connected, device(2), 2, 1, None),
        fact(PresenceKind::Connected, device(1), 1, 1, None),
        other,
        lost.clone(),
        lost,
    ];
    assert_eq!(offline(&facts), [(device(1).0, 9), (device(2).0, 9)]);
}

proptest! {
    #[test]
    fn batching_and_crashes_do_not_change_the_alarms(
        samples in prop::collection::vec((0..3u128, 0..40i64, prop_oneof![Just(20.0), Just(82.0), Just(90.0)]), 1..40),
        batches in prop::collection::vec((1..5usize, prop::option::weighted(0.3, 0..3usize)), 0..30),
        snapshot_every in 1..4usize,
    ) {
        let directory = sample_directory();
        let log = readings(&directory, &samples);
        let (mut straight, mut split) = (log.clone(), log);
        let expected = run_stage(&RuleEvaluator, &directory.0, &mut straight, &Plan::straight());
        let given = run_stage(&RuleEvaluator, &directory.0, &mut split, &Plan { batches, snapshot_every });
        let by_target = |mut commands: Vec<Command>| { commands.sort_by_key(Command::target); commands };
        prop_assert_eq!(by_target(given), by_target(expected));
    }
}

#[test]
fn each_metric_of_an_asset_has_its_own_timeline() {
    use domain::telemetry::{AssetReading, COMPUTED_SOURCE, MetricSets, encode_pack};
    let mut directory = sample_directory();
    let none = json!({"type": "none"});
    directory.rule(50, "asset", Some(asset(1)), "heat", json!({"operator": ">", "value": 85.0}), none);
    let mut log = MemoryLog::default();
    // Another device of the asset has a clock that is ahead, and computed values follow it.
    for (source, metric, second) in [(COMPUTED_SOURCE, "power", 10), ("0", "heat", 8)] {
        let reading = AssetReading {
            origin: Origin { sequence: 1, ordinal: 0 },
            organization: ACME,
            asset: domain::ids::AssetId(asset(1)),
            source_devices: vec![device(1)],
            measured_at: at(second),
            received_at: at(second),
            set: 0,
            numbers: vec![90.0],
            others: vec![],
            flaws: vec![],
            doubts: vec![],
        };
        let sets = MetricSets(vec![vec![metric.to_owned()]]);
        let pack =
            AssetPack { es_position: directory.0.position(), sets, readings: vec![reading], ..AssetPack::default() };
        log.store(Stream::TelemetryAsset, &format!("1.{source}"), encode_pack(&pack).unwrap());
    }
    let commands = run_stage(&RuleEvaluator, &directory.0, &mut log, &Plan::straight());
    let alarm = alarm_id(RuleId(Uuid::from_u128(50)), asset(1), 1).0;
    assert!(
        commands.iter().any(|command| command.target() == alarm),
        "an older time than that of another metric is not late"
    );
}
