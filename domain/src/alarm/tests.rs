//! Given, when, then.

use AlarmCommand as C;
use AlarmEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::alarming::{Condition, Operator, Severity};
use crate::ids::RuleId;
use crate::rule::EntityKind;
use crate::specification::{given, nothing};

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
        condition: Condition { operator: Operator::Above, value: 80.0, upper: None, duration_seconds: 0 },
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

fn acknowledged() -> E {
    E::AlarmAcknowledged { comment: Some("on it".into()) }
}

fn returned() -> E {
    E::AlarmReturnedToNormal { value: Some(79.0), at: at(60) }
}

#[test]
fn an_alarm_is_raised_once_for_its_episode() {
    nothing::<Alarm>().when(C::RaiseAlarm { breach: breach() }).then([raised()]);
    let recomputed = Breach { value: 99.0, ..breach() };
    given::<Alarm>([raised()]).when(C::RaiseAlarm { breach: recomputed }).then_nothing();
}

#[test]
fn another_breach_under_the_same_id_is_refused() {
    let others = [
        Breach { rule_id: RuleId(Uuid::from_u128(9)), ..breach() },
        Breach { entity_id: Uuid::from_u128(9), ..breach() },
        Breach { episode: 2, ..breach() },
    ];
    for breach in others {
        given::<Alarm>([raised()]).when(C::RaiseAlarm { breach }).then_refused(Error::AlreadyRaised);
    }
}

#[test]
fn what_was_not_raised_takes_no_other_command() {
    let commands = [
        C::AmendAlarmStart { started_at: at(5) },
        C::ReturnToNormal { value: None, at: at(60) },
        C::AcknowledgeAlarm { comment: None },
    ];
    for command in commands {
        nothing::<Alarm>().when(command).then_refused(Error::NotFound);
    }
}

#[test]
fn late_data_amends_the_start() {
    let amend = |second| C::AmendAlarmStart { started_at: at(second) };
    let amended = |second| E::AlarmStartAmended { started_at: at(second) };
    given::<Alarm>([raised()]).when(amend(5)).then([amended(5)]);
    given::<Alarm>([raised()]).when(amend(10)).then_nothing();
    given::<Alarm>([raised(), amended(5)]).when(amend(5)).then_nothing();
    given::<Alarm>([raised(), returned()]).when(amend(5)).then([amended(5)]);
}

#[test]
fn it_is_acknowledged_and_returns_to_normal_in_either_order_and_once() {
    let acknowledge = || C::AcknowledgeAlarm { comment: Some("on it".into()) };
    let back = || C::ReturnToNormal { value: Some(79.0), at: at(60) };
    given::<Alarm>([raised()]).when(acknowledge()).then([acknowledged()]);
    given::<Alarm>([raised(), returned()]).when(acknowledge()).then([acknowledged()]);
    given::<Alarm>([raised(), acknowledged()]).when(acknowledge()).then_nothing();
    given::<Alarm>([raised()]).when(back()).then([returned()]);
    given::<Alarm>([raised(), acknowledged()]).when(back()).then([returned()]);
    given::<Alarm>([raised(), returned()]).when(back()).then_nothing();
}

#[test]
fn its_state_is_one_of_isa_18_2() {
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
