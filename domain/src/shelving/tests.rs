//! Given/when/then tests of shelving.

use ShelvingCommand as C;
use ShelvingEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::given_when_then::{given, given_no_events};

const RULE: RuleId = RuleId(Uuid::from_u128(1));
const ENTITY: Uuid = Uuid::from_u128(2);

fn day(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(number)
}

fn shelve(until: DateTime<Utc>, reason: &str) -> C {
    C::ShelveAlarms { rule_id: RULE, entity_id: ENTITY, now: day(1), until, reason: reason.into() }
}

fn shelved(until: DateTime<Utc>) -> E {
    E::AlarmsShelved { rule_id: RULE, entity_id: ENTITY, until, reason: "being cleaned".into() }
}

fn unshelve() -> C {
    C::UnshelveAlarms { rule_id: RULE, entity_id: ENTITY }
}

#[test]
fn alarms_are_shelved_and_the_end_can_be_changed() {
    given_no_events::<Shelving>().when(shelve(day(2), " being cleaned ")).then([shelved(day(2))]);
    given::<Shelving>([shelved(day(2))]).when(shelve(day(2), "again")).then_no_events();
    given::<Shelving>([shelved(day(2))]).when(shelve(day(31), "being cleaned")).then([shelved(day(31))]);
}

#[test]
fn alarms_are_unshelved_once() {
    let taken = || E::AlarmsUnshelved { rule_id: RULE, entity_id: ENTITY };
    given_no_events::<Shelving>().when(unshelve()).then_no_events();
    given::<Shelving>([shelved(day(2))]).when(unshelve()).then([taken()]);
    given::<Shelving>([shelved(day(2)), taken()]).when(unshelve()).then_no_events();
}

#[test]
fn a_shelving_needs_an_end_within_30_days_and_a_reason() {
    let too_far = day(31) + TimeDelta::seconds(1);
    for until in [day(0), day(1), too_far] {
        given_no_events::<Shelving>().when(shelve(until, "x")).then_refused(Error::InvalidUntil);
    }
    for reason in ["", " ", &"x".repeat(4001)] {
        given_no_events::<Shelving>().when(shelve(day(2), reason)).then_refused(Error::InvalidReason);
    }
}

#[test]
fn each_pair_of_rule_and_entity_has_its_own_shelving_id() {
    let other = RuleId(Uuid::from_u128(3));
    let ids = [shelving_id(RULE, ENTITY), shelving_id(other, ENTITY), shelving_id(RULE, other.0)];
    assert_eq!(std::collections::HashSet::from(ids).len(), 3);
    assert_eq!(shelving_id(RULE, ENTITY), ids[0]);
}
