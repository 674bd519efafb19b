//! Given/when/then tests of alarms.

use AlarmCommand as C;
use AlarmEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::alarming::{Condition, Operator, Severity, Suppression};
use crate::given_when_then::{given, given_no_events};
use crate::ids::RuleId;
use crate::ids::{AlarmId, UserId};
use crate::rule::EntityKind;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn breach() -> Breach {
    Breach {
        rule_id: RuleId(Uuid::from_u128(1)),
        rule_name: "Hot".into(),
        entity_type: EntityKind::Asset,
        entity_id: Uuid::from_u128(2),
        metric_key: "temperature".into(),
        condition: Box::new(Condition::comparing(Operator::Above, 80.0)),
        severity: Severity::High,
        value: 81.5,
        started_at: at(10),
        raised_at: at(20),
        episode: 1,
    }
}

fn raised() -> E {
    E::AlarmRaised { breach: breach() }
}

fn raise(breach: Breach) -> C {
    C::RaiseAlarm { breach, suppression: None }
}

fn acknowledged() -> E {
    E::AlarmAcknowledged { comment: Some("on it".into()) }
}

fn returned() -> E {
    E::AlarmReturnedToNormal { value: Some(79.0), at: at(60), reopened: None }
}

#[test]
fn an_alarm_is_raised_once_for_its_episode() {
    given_no_events::<Alarm>().when(raise(breach())).then([raised()]);
    let recomputed = Breach { value: 99.0, ..breach() };
    given::<Alarm>([raised()]).when(raise(recomputed)).then_no_events();
}

#[test]
fn a_different_breach_with_the_same_id_is_rejected() {
    let others = [
        Breach { rule_id: RuleId(Uuid::from_u128(9)), ..breach() },
        Breach { entity_id: Uuid::from_u128(9), ..breach() },
        Breach { episode: 2, ..breach() },
    ];
    for breach in others {
        given::<Alarm>([raised()]).when(raise(breach)).then_refused(Error::AlreadyRaised);
    }
}

#[test]
fn commands_before_the_alarm_is_raised_are_rejected() {
    let commands = [
        C::AmendAlarmStart { started_at: at(5) },
        C::ReturnToNormal { repeats: 0, value: None, at: at(60) },
        C::AcknowledgeAlarm { comment: None },
        C::RepeatAlarm { repeats: 1, value: 1.0, at: at(1), announce_reopening: true },
        C::SuppressAlarm { suppression: None },
        C::SupersedeAlarm { by: AlarmId(Uuid::nil()) },
        C::AssignAlarm { assignee: None },
        C::CommentAlarm { text: "x".into() },
        C::DismissAlarm { reason: "x".into() },
    ];
    for command in commands {
        given_no_events::<Alarm>().when(command).then_refused(Error::NotFound);
    }
}

#[test]
fn late_data_moves_the_start() {
    let amend = |second| C::AmendAlarmStart { started_at: at(second) };
    let amended = |second| E::AlarmStartAmended { started_at: at(second) };
    given::<Alarm>([raised()]).when(amend(5)).then([amended(5)]);
    given::<Alarm>([raised()]).when(amend(10)).then_no_events();
    given::<Alarm>([raised(), amended(5)]).when(amend(5)).then_no_events();
    given::<Alarm>([raised(), returned()]).when(amend(5)).then([amended(5)]);
}

#[test]
fn acknowledgement_and_return_to_normal_come_in_either_order_and_once() {
    let acknowledge = || C::AcknowledgeAlarm { comment: Some("on it".into()) };
    let back = || C::ReturnToNormal { repeats: 0, value: Some(79.0), at: at(60) };
    given::<Alarm>([raised()]).when(acknowledge()).then([acknowledged()]);
    given::<Alarm>([raised(), returned()]).when(acknowledge()).then([acknowledged()]);
    given::<Alarm>([raised(), acknowledged()]).when(acknowledge()).then_no_events();
    given::<Alarm>([raised()]).when(back()).then([returned()]);
    given::<Alarm>([raised(), acknowledged()]).when(back()).then([returned()]);
    given::<Alarm>([raised(), returned()]).when(back()).then_no_events();
}

#[test]
fn the_state_follows_isa_18_2() {
    let table = [
        (vec![], None),
        (vec![raised()], Some(AlarmState::ActiveUnacknowledged)),
        (vec![raised(), acknowledged()], Some(AlarmState::ActiveAcknowledged)),
        (vec![raised(), returned()], Some(AlarmState::ReturnedUnacknowledged)),
        (vec![raised(), returned(), acknowledged()], Some(AlarmState::Normal)),
        (vec![raised(), acknowledged(), returned()], Some(AlarmState::Normal)),
    ];
    for (past, state) in table {
        assert_eq!(given::<Alarm>(past).state().state(), state);
    }
}

#[test]
fn a_recurrence_within_the_cooldown_reactivates_the_alarm_and_outdates_earlier_commands() {
    let back = repeat;
    let repeated = E::AlarmRepeated { repeats: 1, value: 85.0, at: at(70) };
    let over = |repeats| C::ReturnToNormal { repeats, value: Some(70.0), at: at(80) };
    given::<Alarm>([raised(), returned()]).when(back(1)).then([repeated.clone()]);
    let again = given::<Alarm>([raised(), acknowledged(), returned(), repeated.clone()]);
    assert_eq!(again.state().state(), Some(AlarmState::ActiveAcknowledged));
    again.when(back(1)).then_no_events();
    again.when(over(0)).then_no_events();
    again.when(over(1)).then([E::AlarmReturnedToNormal { value: Some(70.0), at: at(80), reopened: None }]);
}

fn repeat(repeats: u32) -> C {
    C::RepeatAlarm { repeats, value: 85.0, at: at(70), announce_reopening: true }
}

#[test]
fn a_dismissed_alarm_is_open_and_unacknowledged_again_once_its_breach_recurs() {
    let dismissed = || E::AlarmDismissed { reason: "a test".into() };
    let repeated = |repeats| E::AlarmRepeated { repeats, value: 85.0, at: at(70) };
    let reopened = || E::AlarmReopened { breach: breach(), value: 85.0, at: at(70), announce: true };
    let over = given::<Alarm>([raised(), acknowledged(), dismissed(), returned()]);
    assert_eq!(over.state().state(), Some(AlarmState::Closed), "the return to normal alone does not open it");
    over.when(repeat(1)).then([repeated(1), reopened()]);
    let again = given::<Alarm>([raised(), acknowledged(), dismissed(), returned(), repeated(1), reopened()]);
    assert_eq!(again.state().state(), Some(AlarmState::ActiveUnacknowledged));
    again.when(repeat(1)).then_no_events();
    again.when(C::DismissAlarm { reason: "a test".into() }).then([dismissed()]);
    let twice = given::<Alarm>([raised(), returned(), dismissed(), repeated(1), reopened(), dismissed()]);
    twice.when(repeat(1)).then_no_events();
    twice.when(repeat(2)).then([repeated(2), reopened()]);
}

#[test]
fn the_end_of_a_reopened_breach_is_notified_if_its_beginning_was() {
    let of = |announce| {
        let reopened = E::AlarmReopened { breach: breach(), value: 85.0, at: at(70), announce };
        let repeated = E::AlarmRepeated { repeats: 1, value: 85.0, at: at(70) };
        given::<Alarm>([raised(), returned(), E::AlarmDismissed { reason: "a test".into() }, repeated, reopened])
    };
    let over = C::ReturnToNormal { repeats: 1, value: Some(70.0), at: at(80) };
    let ended = |reopened| E::AlarmReturnedToNormal { value: Some(70.0), at: at(80), reopened };
    of(true).when(over.clone()).then([ended(Some(breach()))]);
    of(false).when(over).then([ended(None)]);
}

#[test]
fn a_superseded_alarm_is_not_opened_again() {
    let by = AlarmId(Uuid::from_u128(7));
    let over = given::<Alarm>([raised(), returned(), E::AlarmSuperseded { by }]);
    over.when(repeat(1)).then([E::AlarmRepeated { repeats: 1, value: 85.0, at: at(70) }]);
}

#[test]
fn suppression_starts_ends_and_is_dropped_on_return_to_normal() {
    let suppressed = |suppression| E::AlarmSuppressed { suppression };
    let suppress = |suppression| C::SuppressAlarm { suppression };
    let until = Suppression::Shelved { until: at(90) };
    let shelved = Some(until);
    given_no_events::<Alarm>()
        .when(C::RaiseAlarm { breach: breach(), suppression: Some(Suppression::OutOfService) })
        .then([raised(), suppressed(Suppression::OutOfService)]);
    given::<Alarm>([raised()]).when(suppress(None)).then_no_events();
    given::<Alarm>([raised()]).when(suppress(shelved)).then([suppressed(until)]);
    let away = given::<Alarm>([raised(), suppressed(until)]);
    assert_eq!(away.state().state(), Some(AlarmState::Shelved));
    away.when(suppress(shelved)).then_no_events();
    away.when(suppress(Some(Suppression::OutOfService))).then([suppressed(Suppression::OutOfService)]);
    away.when(suppress(None)).then([E::AlarmUnsuppressed {}]);
    let by_design = given::<Alarm>([raised(), suppressed(Suppression::OutOfService)]);
    assert_eq!(by_design.state().state(), Some(AlarmState::SuppressedByDesign));
    let over = given::<Alarm>([raised(), suppressed(until), returned()]);
    assert_eq!(over.state().state(), Some(AlarmState::ReturnedUnacknowledged));
    let told = given::<Alarm>([raised(), suppressed(until), E::AlarmUnsuppressed {}]);
    assert_eq!(told.state().state(), Some(AlarmState::ActiveUnacknowledged));
}

#[test]
fn a_newer_alarm_supersedes_it_unless_it_is_acknowledged_and_normal() {
    let by = AlarmId(Uuid::from_u128(7));
    let superseded = || E::AlarmSuperseded { by };
    given::<Alarm>([raised(), returned()]).when(C::SupersedeAlarm { by }).then([superseded()]);
    given::<Alarm>([raised(), returned(), superseded()]).when(C::SupersedeAlarm { by }).then_no_events();
    given::<Alarm>([raised(), returned(), acknowledged()]).when(C::SupersedeAlarm { by }).then_no_events();
    let over = given::<Alarm>([raised(), returned(), superseded()]);
    assert_eq!(over.state().state(), Some(AlarmState::Closed));
    over.when(C::DismissAlarm { reason: "x".into() }).then_refused(Error::Closed);
}

#[test]
fn an_alarm_can_be_assigned_commented_and_dismissed() {
    let someone = Some(UserId(Uuid::from_u128(5)));
    let assigned = |assignee| E::AlarmAssigned { assignee };
    given::<Alarm>([raised()]).when(C::AssignAlarm { assignee: someone }).then([assigned(someone)]);
    given::<Alarm>([raised(), assigned(someone)]).when(C::AssignAlarm { assignee: someone }).then_no_events();
    given::<Alarm>([raised(), assigned(someone)]).when(C::AssignAlarm { assignee: None }).then([assigned(None)]);
    let comment = |text: &str| C::CommentAlarm { text: text.into() };
    given::<Alarm>([raised()]).when(comment(" again ")).then([E::AlarmCommented { text: "again".into() }]);
    let dismiss = |reason: &str| C::DismissAlarm { reason: reason.into() };
    given::<Alarm>([raised()]).when(dismiss(" test ")).then([E::AlarmDismissed { reason: "test".into() }]);
    for bad in ["", "  ", &"x".repeat(4001)] {
        given::<Alarm>([raised()]).when(comment(bad)).then_refused(Error::InvalidComment);
        given::<Alarm>([raised()]).when(dismiss(bad)).then_refused(Error::InvalidReason);
    }
}
