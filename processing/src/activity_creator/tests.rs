//! Threshold events in, work orders out.

use domain::alarming::Severity;
use domain::ids::{ActivityTemplateId, AlarmId, RuleId};
use domain::rule::{EntityKind, RuleAction};
use domain::telemetry::Transition;
use eventlog::Stream;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::testing::{
    ACME, BREACH_TEMPLATE, MemoryLog, OFFLINE_TEMPLATE, OTHER, Plan, TestDirectory, asset, at, run_stage,
    sample_directory,
};

fn breach(es_position: u64, ordinal: u32, action: RuleAction) -> ThresholdEvent {
    ThresholdEvent {
        event_id: Uuid::from_u128(u128::from(ordinal) + 1),
        origin: Origin { sequence: 1, ordinal },
        es_position,
        transition: Transition::ThresholdBreach,
        organization: ACME,
        rule_id: Some(RuleId(Uuid::from_u128(1))),
        rule_name: Some("hot".into()),
        alarm_id: Some(AlarmId(Uuid::from_u128(2))),
        entity_type: EntityKind::Asset,
        entity_id: asset(1),
        severity: Severity::Critical,
        metric_key: Some("heat".into()),
        value: Some(99.0),
        reason: None,
        action: Some(action),
        measured_at: at(0),
        received_at: at(1),
    }
}

fn by_trigger() -> RuleAction {
    RuleAction::CreateActivity { template_id: None }
}

/// Runs the stage; returns the names and priorities of the work orders, and the notices.
fn created(
    directory: &TestDirectory,
    messages: &[Vec<ThresholdEvent>],
) -> (Vec<(String, Severity)>, Vec<ActivityNotice>) {
    let mut log = MemoryLog::default();
    for events in messages {
        log.store(Stream::EventsThreshold, "1.17", serde_json::to_vec(events).unwrap());
    }
    let commands = run_stage(&ActivityCreator, &directory.0, &mut log, &Plan::straight());
    let orders = commands.into_iter().map(|command| match command {
        Command::Activity { command: ActivityCommand::CreateActivity { order }, .. } => (order.name, order.priority),
        other => panic!("{other:?}"),
    });
    let notices =
        log.read(Stream::ActivitiesCreated).iter().map(|message| serde_json::from_slice(&message.payload).unwrap());
    (orders.collect(), notices.collect())
}

#[test]
fn a_breach_creates_one_activity_for_each_template_with_a_matching_trigger() {
    let directory = sample_directory();
    let event = breach(directory.0.position(), 0, by_trigger());
    let (orders, notices) = created(&directory, &[vec![event.clone()], vec![event]]);
    assert_eq!(orders, [("on THRESHOLD_BREACH".to_owned(), Severity::Critical)]);
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!((notice.template_id, notice.target_id), (ActivityTemplateId(BREACH_TEMPLATE), asset(1)));
    assert_eq!((notice.assigned_to.as_deref(), notice.due_at), (Some("technician"), Some(at(7_200))));
    assert_eq!(serde_json::to_value(notice).unwrap()["activityId"], json!(notice.activity_id));
}

#[test]
fn an_action_that_names_a_template_uses_only_that_template() {
    let directory = sample_directory();
    let named = |id| RuleAction::CreateActivity { template_id: Some(ActivityTemplateId(id)) };
    let (orders, _) = created(&directory, &[vec![breach(directory.0.position(), 0, named(OFFLINE_TEMPLATE))]]);
    assert_eq!(orders, [("on DEVICE_OFFLINE".to_owned(), Severity::Critical)]);
    let (orders, _) = created(&directory, &[vec![breach(directory.0.position(), 0, named(Uuid::from_u128(1)))]]);
    assert_eq!(orders, []);
}

#[test]
fn templates_apply_as_of_the_position_of_the_event() {
    let mut directory = sample_directory();
    let before = directory.0.position();
    directory.apply(BREACH_TEMPLATE, "activity_template", "ActivityTemplateRetired", json!({}));
    let events = vec![breach(before, 0, by_trigger()), breach(directory.0.position(), 1, by_trigger())];
    assert_eq!(created(&directory, &[events]).0.len(), 1);
}

#[test]
fn other_actions_transitions_and_organisations_create_nothing() {
    let directory = sample_directory();
    let position = directory.0.position();
    let returned = ThresholdEvent { transition: Transition::ReturnToNormal, ..breach(position, 2, by_trigger()) };
    let foreign = ThresholdEvent { organization: OTHER, ..breach(position, 3, by_trigger()) };
    let events = vec![
        breach(position, 0, RuleAction::None),
        breach(position, 1, RuleAction::Webhook { url: "https://x".into() }),
        returned,
        foreign,
    ];
    assert_eq!(created(&directory, &[events]).0, []);
}

#[test]
fn an_offline_device_creates_an_activity_with_the_priority_of_its_template() {
    let directory = sample_directory();
    let offline = ThresholdEvent {
        transition: Transition::DeviceOffline,
        rule_id: None,
        alarm_id: None,
        action: None,
        severity: Severity::Medium,
        ..breach(directory.0.position(), 0, RuleAction::None)
    };
    assert_eq!(created(&directory, &[vec![offline]]).0, [("on DEVICE_OFFLINE".to_owned(), Severity::Low)]);
}
