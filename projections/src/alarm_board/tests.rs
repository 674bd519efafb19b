//! Unit tests of the fold and of its rows.

use domain::alarm::{AlarmEvent, Breach};
use domain::alarming::{Condition, Operator, Severity};
use domain::ids::RuleId;
use domain::rule::EntityKind;
use uuid::Uuid;

use super::{AlarmRow, Alarms};
use crate::test_events::{ID, USER, at, rows_after};

fn raised() -> AlarmEvent {
    let breach = Breach {
        rule_id: RuleId(Uuid::from_u128(9)),
        rule_name: "Hot".into(),
        entity_type: EntityKind::Asset,
        entity_id: Uuid::from_u128(8),
        metric_key: "temp".into(),
        condition: Box::new(Condition { duration_seconds: 5, ..Condition::comparing(Operator::Above, 80.0) }),
        severity: Severity::High,
        value: 81.0,
        started_at: at(-5),
        raised_at: at(0),
        episode: 3,
    };
    AlarmEvent::AlarmRaised { breach }
}

fn reopened() -> AlarmEvent {
    let AlarmEvent::AlarmRaised { breach } = raised() else { unreachable!() };
    AlarmEvent::AlarmReopened { breach, value: 85.0, at: at(9), announce: true }
}

fn then(events: &[AlarmEvent]) -> AlarmRow {
    let events: Vec<AlarmEvent> = [raised()].into_iter().chain(events.iter().cloned()).collect();
    rows_after::<Alarms, _>("alarm", &events).get(ID).cloned().unwrap()
}

#[test]
fn each_event_changes_its_own_columns() {
    let first = then(&[]);
    assert_eq!((first.entity_type.as_str(), first.severity.as_str(), first.episode), ("asset", "high", 3));
    assert_eq!((first.started_at, first.raised_at, first.recorded_at), (at(-5), at(0), at(1)));
    let two = AlarmRow { version: 2, position: 2, ..first };
    let amended = then(&[AlarmEvent::AlarmStartAmended { started_at: at(-9) }]);
    assert_eq!(amended, AlarmRow { started_at: at(-9), ..two.clone() });
    let returned = then(&[AlarmEvent::AlarmReturnedToNormal { value: Some(70.0), at: at(7), reopened: None }]);
    let expected = AlarmRow { active: false, returned_at: Some(at(7)), returned_value: Some(70.0), ..two.clone() };
    assert_eq!(returned, expected);
    let acknowledged = AlarmRow {
        acknowledged: true,
        acknowledged_at: Some(at(2)),
        acknowledged_by: Some(format!("user:{USER}")),
        acknowledged_comment: Some("seen".into()),
        ..two
    };
    assert_eq!(then(&[AlarmEvent::AlarmAcknowledged { comment: Some("seen".into()) }]), acknowledged);
}

#[test]
fn the_state_follows_from_condition_and_acknowledgement() {
    let (returned, seen) = (
        AlarmEvent::AlarmReturnedToNormal { value: None, at: at(7), reopened: None },
        AlarmEvent::AlarmAcknowledged { comment: None },
    );
    assert_eq!(then(&[]).state().as_str(), "active_unacknowledged");
    assert_eq!(then(std::slice::from_ref(&seen)).state().as_str(), "active_acknowledged");
    assert_eq!(then(std::slice::from_ref(&returned)).state().as_str(), "returned_unacknowledged");
    assert_eq!(then(&[returned, seen]).state().as_str(), "normal");
}

#[test]
fn a_reopened_alarm_is_as_open_as_one_that_nobody_has_seen() {
    let dismissed = AlarmEvent::AlarmDismissed { reason: "a test".into() };
    let seen = AlarmEvent::AlarmAcknowledged { comment: Some("seen".into()) };
    let over = AlarmEvent::AlarmReturnedToNormal { value: Some(70.0), at: at(7), reopened: None };
    let repeated = AlarmEvent::AlarmRepeated { repeats: 1, value: 85.0, at: at(9) };
    let closed = then(&[seen.clone(), dismissed.clone(), over.clone(), repeated.clone()]);
    assert_eq!((closed.state().as_str(), closed.closed.as_deref()), ("closed", Some("dismissed")));
    let open = then(&[seen, dismissed, over, repeated, reopened()]);
    assert_eq!(open, AlarmRow { repeats: 1, version: 6, position: 6, ..then(&[]) });
    assert_eq!(open.state().as_str(), "active_unacknowledged");
}
