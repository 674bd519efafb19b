//! Threshold events in, notification requests out.

use std::collections::BTreeSet;

use domain::alarming::Severity;
use domain::ids::RuleId;
use domain::rule::EntityKind;
use domain::telemetry::{Origin, Transition};
use eventlog::Stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::testing::{ACME, MemoryLog, OTHER, Plan, TestDirectory, asset, at, run_stage, sample_directory};

const PAGER: Uuid = Uuid::from_u128(0xc1);
const MAIL: Uuid = Uuid::from_u128(0xc2);

fn event(directory: &TestDirectory, severity: Severity, action: RuleAction) -> ThresholdEvent {
    ThresholdEvent {
        event_id: Uuid::from_u128(1),
        origin: Origin { sequence: 1, ordinal: 0 },
        es_position: directory.0.position(),
        transition: Transition::ThresholdBreach,
        organization: ACME,
        rule_id: Some(RuleId(Uuid::from_u128(1))),
        rule_name: Some("hot".into()),
        alarm_id: None,
        entity_type: EntityKind::Asset,
        entity_id: asset(1),
        severity,
        metric_key: Some("heat".into()),
        value: Some(99.0),
        reason: None,
        action: Some(action),
        measured_at: at(0),
        received_at: at(1),
    }
}

fn channel(directory: &mut TestDirectory, id: Uuid, medium: Value, minimum_severity: &str, is_active: bool) {
    let definition =
        json!({"name": "C", "medium": medium, "minimum_severity": minimum_severity, "is_active": is_active});
    directory.apply(id, "notification_channel", "NotificationChannelDefined", json!({ "definition": definition }));
}

fn channels() -> TestDirectory {
    let mut directory = sample_directory();
    channel(&mut directory, PAGER, json!({"type": "webhook", "url": "https://pager.example"}), "high", true);
    channel(&mut directory, MAIL, json!({"type": "email", "work_roles": ["technician"]}), "low", true);
    channel(&mut directory, Uuid::from_u128(0xc3), json!({"type": "push", "work_roles": ["x"]}), "low", false);
    directory
}

fn requested(
    directory: &TestDirectory,
    events: Vec<ThresholdEvent>,
) -> Vec<(NotificationId, Option<NotificationChannelId>, Medium)> {
    let mut log = MemoryLog::default();
    log.store(Stream::EventsThreshold, "1.17", serde_json::to_vec(&events).unwrap());
    log.store(Stream::EventsThreshold, "1.17", serde_json::to_vec(&events).unwrap());
    let commands = run_stage(&Notifier, &directory.0, &mut log, &Plan::straight());
    let requested = commands.into_iter().map(|command| match command {
        Command::Notification {
            id,
            command: NotificationCommand::RequestNotification { channel_id, medium, .. },
            ..
        } => (id, channel_id, medium),
        other => panic!("{other:?}"),
    });
    requested.collect()
}

#[test]
fn each_active_channel_is_requested_from_its_minimum_severity_on() {
    let directory = channels();
    let of = |severity| {
        let requested = requested(&directory, vec![event(&directory, severity, RuleAction::None)]);
        requested.into_iter().map(|(_, channel, _)| channel.unwrap().0).collect::<Vec<_>>()
    };
    assert_eq!(of(Severity::Critical), [PAGER, MAIL]);
    assert_eq!(of(Severity::Low), [MAIL]);
}

#[test]
fn the_webhook_of_a_rule_is_requested_too_and_ids_are_stable() {
    let directory = channels();
    let event = event(&directory, Severity::High, RuleAction::Webhook { url: "https://x.example".into() });
    let first = requested(&directory, vec![event.clone()]);
    assert_eq!(first.len(), 3);
    assert_eq!((first[2].1, &first[2].2), (None, &Medium::Webhook { url: "https://x.example".into() }));
    assert_eq!(requested(&directory, vec![event]), first);
    let ids: BTreeSet<_> = first.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn retired_channels_and_channels_of_other_organisations_are_not_requested() {
    let mut directory = channels();
    directory.apply(MAIL, "notification_channel", "NotificationChannelRetired", json!({}));
    let ours = event(&directory, Severity::Low, RuleAction::None);
    let theirs = ThresholdEvent { organization: OTHER, ..event(&directory, Severity::Critical, RuleAction::None) };
    assert_eq!(requested(&directory, vec![ours]), []);
    assert_eq!(requested(&directory, vec![theirs]), []);
}

#[test]
fn a_reopened_alarm_and_its_end_are_requested_once_unless_its_breach_is_notified_anyway() {
    let directory = channels();
    let breach = json!({"rule_id": Uuid::from_u128(1), "rule_name": "hot", "entity_type": "device",
        "entity_id": Uuid::from_u128(2), "metric_key": "temperature", "condition": {"operator": ">", "value": 80.0},
        "severity": "low", "value": 90.0, "started_at": at(0), "raised_at": at(0), "episode": 1});
    let reopened = |announce: bool| json!({ "breach": breach, "value": 95.0, "at": at(9), "announce": announce });
    let events = [
        ("AlarmReopened", reopened(true)),
        ("AlarmReturnedToNormal", json!({ "value": 20.0, "at": at(10), "reopened": breach })),
        ("AlarmReopened", reopened(false)),
        ("AlarmReturnedToNormal", json!({ "value": 20.0, "at": at(10) })),
    ];
    let mut log = MemoryLog::default();
    for (sequence, (event_type, payload)) in (1..).zip(events) {
        let envelope = json!([{"event_id": Uuid::from_u128(sequence), "sequence": sequence, "event_type": event_type,
            "event_version": "1.0", "payload": payload, "metadata": {}, "previous_hash": "", "hash": ""}]);
        log.store(Stream::EsAlarm, &format!("{ACME}.alarm.{}", Uuid::from_u128(7)), envelope.to_string());
    }
    let commands = run_stage(&ReopeningNotifier, &directory.0, &mut log, &Plan::straight());
    let requested = commands.into_iter().map(|command| match command {
        Command::Notification {
            id,
            caused_by,
            command: NotificationCommand::RequestNotification { channel_id, notice, .. },
            ..
        } => {
            assert_eq!((id, channel_id), (super::id(caused_by, channel_id), Some(NotificationChannelId(MAIL))));
            (caused_by.as_u128(), notice.transition, notice.value, notice.measured_at, notice.severity)
        }
        other => panic!("{other:?}"),
    });
    let expected = [
        (1, Transition::ThresholdBreach, Some(95.0), at(9), Severity::Low),
        (2, Transition::ReturnToNormal, Some(20.0), at(10), Severity::Low),
    ];
    assert_eq!(requested.collect::<Vec<_>>(), expected);
}
