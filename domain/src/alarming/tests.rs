//! Rules and readings in, changes out.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::directory::RuleEntry;
use crate::ids::{OrganizationId, RuleId};
use crate::rule::{EntityKind, RuleAction, RuleDefinition};

const DEVICE: Uuid = Uuid::from_u128(1);
const OTHER_DEVICE: Uuid = Uuid::from_u128(2);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

/// "temperature > 80 for this long", with this pause.
fn rule(duration_seconds: u32, cooldown_seconds: u32) -> RuleEntry {
    let definition = RuleDefinition {
        name: "hot".into(),
        description: None,
        entity_type: EntityKind::Device,
        entity_id: None,
        metric_key: "temperature".into(),
        condition: Condition { operator: Operator::Above, value: 80.0, upper: None, duration_seconds },
        severity: Severity::High,
        action: RuleAction::None,
        cooldown_seconds,
        is_active: true,
    };
    RuleEntry {
        rule: RuleId(Uuid::from_u128(9)),
        organization: OrganizationId(Uuid::nil()),
        decides_since: 1,
        retired: false,
        definition: Arc::new(definition),
    }
}

fn feed(entity: &mut EntityWatch, rules: &[RuleEntry], source: Uuid, seconds: i64, value: Option<f64>) -> Vec<Change> {
    let mut changes = Vec::new();
    let sample = Sample { source, measured_at: at(seconds) };
    entity.observe(rules.iter(), sample, |metric| value.filter(|_| metric == "temperature"), &mut changes);
    changes.into_iter().map(|(_, change)| change).collect()
}

fn run(rule: &RuleEntry, readings: &[(i64, f64)]) -> Vec<Change> {
    let mut entity = EntityWatch::default();
    let rules = [rule.clone()];
    readings.iter().flat_map(|(seconds, value)| feed(&mut entity, &rules, DEVICE, *seconds, Some(*value))).collect()
}

fn raised(episode: u64, started: i64, raised: i64, value: f64) -> Change {
    Change::Raised { episode, started_at: at(started), raised_at: at(raised), value }
}

fn ended(episode: u64, seconds: i64, value: Option<f64>) -> Change {
    Change::Ended { episode, value, at: at(seconds) }
}

#[test]
fn a_breach_is_raised_once_and_ends_once() {
    let changes = run(&rule(0, 0), &[(0, 70.0), (1, 81.0), (2, 99.0), (3, 80.0), (4, 79.0), (5, 90.0)]);
    assert_eq!(changes, [raised(1, 1, 1, 81.0), ended(1, 3, Some(80.0)), raised(2, 5, 5, 90.0)]);
}

#[test]
fn a_breach_must_last_by_measured_time() {
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (9, 91.0)]), []);
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (9, 91.0), (10, 92.0), (11, 93.0)]), [raised(1, 0, 10, 92.0)]);
}

#[test]
fn a_breach_that_pauses_starts_anew() {
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (5, 70.0), (6, 90.0), (15, 90.0)]), []);
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (5, 70.0), (6, 90.0), (16, 90.0)]), [raised(1, 6, 16, 90.0)]);
}

#[test]
fn after_an_alarm_there_is_a_pause() {
    let readings = [(0, 90.0), (1, 70.0), (2, 90.0), (59, 90.0), (60, 91.0)];
    assert_eq!(run(&rule(0, 60), &readings), [raised(1, 0, 0, 90.0), ended(1, 1, Some(70.0)), raised(2, 2, 60, 91.0)]);
}

#[test]
fn what_is_older_than_the_newest_never_raises() {
    assert_eq!(run(&rule(0, 0), &[(10, 70.0), (9, 99.0), (10, 99.0)]), []);
    assert_eq!(run(&rule(0, 0), &[(10, 90.0), (9, 70.0)]), [raised(1, 10, 10, 90.0)], "nor does it end anything");
}

#[test]
fn a_reading_without_the_metric_makes_older_ones_history_too() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    assert_eq!(feed(&mut entity, &rules, DEVICE, 10, None), []);
    assert_eq!(feed(&mut entity, &rules, DEVICE, 9, Some(99.0)), []);
    assert_eq!(
        feed(&mut entity, &rules, DEVICE, 10, Some(99.0)),
        [raised(1, 10, 10, 99.0)],
        "the same time is not older"
    );
}

#[test]
fn a_device_whose_clock_is_behind_is_not_history_to_another() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    assert_eq!(feed(&mut entity, &rules, DEVICE, 10, None), []);
    assert_eq!(feed(&mut entity, &rules, OTHER_DEVICE, 8, Some(99.0)), [raised(1, 8, 8, 99.0)]);
}

#[test]
fn late_data_amend_the_start_and_never_make_a_second_alarm() {
    let changes = run(&rule(0, 0), &[(5, 70.0), (10, 90.0), (8, 90.0), (4, 90.0), (8, 90.0), (7, 90.0)]);
    let amended = |seconds| Change::StartAmended { episode: 1, started_at: at(seconds) };
    assert_eq!(changes, [raised(1, 10, 10, 90.0), amended(8), amended(7)]);
}

#[test]
fn what_was_passed_over_does_not_count_when_it_comes_again() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    let mut take = |seconds, value| feed(&mut entity, &rules, DEVICE, seconds, value);
    assert_eq!([take(10, Some(70.0)), take(12, None), take(11, Some(90.0))], [[], [], []]);
    assert_eq!(take(13, Some(90.0)), [raised(1, 13, 13, 90.0)]);
    assert_eq!(take(11, Some(90.0)), [], "it was history when it came first, and is now");
}

#[test]
fn a_late_gap_means_that_it_did_not_hold_throughout() {
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (8, 90.0), (4, 70.0), (12, 90.0)]), []);
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (8, 90.0), (4, 70.0), (18, 90.0)]), [raised(1, 8, 18, 90.0)]);
}

#[test]
fn a_changed_rule_ends_its_alarm_and_starts_anew() {
    let (mut entity, old) = (EntityWatch::default(), rule(0, 3_600));
    let mut new = rule(0, 3_600);
    new.decides_since = 2;
    Arc::make_mut(&mut new.definition).condition.value = 95.0;
    assert_eq!(feed(&mut entity, &[old], DEVICE, 0, Some(90.0)), [raised(1, 0, 0, 90.0)]);
    assert_eq!(feed(&mut entity, &[new.clone()], DEVICE, 1, Some(90.0)), [ended(1, 1, None)]);
    assert_eq!(feed(&mut entity, &[new], DEVICE, 2, Some(96.0)), [raised(2, 2, 2, 96.0)]);
}

#[test]
fn a_rule_that_is_gone_ends_its_alarm_and_its_count_goes_on() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    assert_eq!(feed(&mut entity, &rules, DEVICE, 0, Some(90.0)), [raised(1, 0, 0, 90.0)]);
    assert_eq!(feed(&mut entity, &[], DEVICE, 1, Some(90.0)), [ended(1, 1, None)]);
    assert_eq!(feed(&mut entity, &[], DEVICE, 2, Some(90.0)), []);
    assert_eq!(feed(&mut entity, &rules, DEVICE, 3, Some(90.0)), [raised(2, 3, 3, 90.0)]);
}

#[test]
fn nothing_is_remembered_of_a_rule_that_never_breached_and_is_gone() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    feed(&mut entity, &rules, DEVICE, 0, Some(70.0));
    assert!(!entity.is_idle());
    feed(&mut entity, &[], DEVICE, 1, Some(70.0));
    assert!(entity.is_idle());
}

#[test]
fn alarm_ids_differ_by_rule_entity_and_episode_and_never_change() {
    let (a, b) = (RuleId(Uuid::from_u128(1)), RuleId(Uuid::from_u128(2)));
    let ids = [alarm_id(a, DEVICE, 1), alarm_id(b, DEVICE, 1), alarm_id(a, OTHER_DEVICE, 1), alarm_id(a, DEVICE, 2)];
    assert_eq!(std::collections::HashSet::from(ids).len(), 4);
    assert_eq!(alarm_id(a, DEVICE, 1), ids[0]);
}

/// Readings at distinct times in any order; some lack the metric.
fn readings() -> impl Strategy<Value = Vec<(i64, Option<f64>)>> {
    let one = prop_oneof![4 => Just(Some(90.0)), 3 => Just(Some(70.0)), 1 => Just(None)];
    prop::collection::vec((0..6usize, one), 1..60).prop_map(|steps| {
        let mut times: Vec<i64> = (0..steps.len() as i64).collect();
        // Swapping neighbours at a small distance is what delayed messages do.
        for (at, (jump, _)) in steps.iter().enumerate() {
            let other = (at + jump).min(times.len() - 1);
            times.swap(at, other);
        }
        times.into_iter().zip(steps).map(|(time, (_, value))| (time, value)).collect()
    })
}

fn changes_of(rule: &RuleEntry, readings: &[(i64, Option<f64>)], restore_every: usize) -> Vec<Change> {
    let (mut entity, rules, mut all) = (EntityWatch::default(), [rule.clone()], vec![]);
    for (count, (seconds, value)) in readings.iter().enumerate() {
        all.extend(feed(&mut entity, &rules, DEVICE, *seconds, *value));
        if count % restore_every == 0 {
            entity = rmp_serde::from_slice(&rmp_serde::to_vec(&entity).unwrap()).unwrap();
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn raised_and_ended_take_turns_and_episodes_count_up(readings in readings(), duration in 0..5u32, pause in 0..5u32) {
        let mut standing = None;
        let mut last = 0;
        for change in changes_of(&rule(duration, pause), &readings, usize::MAX) {
            match change {
                Change::Raised { episode, started_at, raised_at, .. } => {
                    prop_assert_eq!((standing, episode), (None, last + 1));
                    prop_assert!(started_at <= raised_at);
                    (standing, last) = (Some(started_at), episode);
                }
                Change::StartAmended { episode, started_at } => {
                    prop_assert_eq!(episode, last);
                    prop_assert!(standing.is_some_and(|standing| started_at < standing));
                    standing = Some(started_at);
                }
                Change::Ended { episode, .. } => {
                    prop_assert_eq!(episode, last);
                    prop_assert!(standing.take().is_some());
                }
            }
        }
    }

    #[test]
    fn readings_seen_before_change_nothing(readings in readings(), again in prop::collection::vec((0..60usize, 0..60usize), 0..30), duration in 0..5u32, pause in 0..5u32) {
        let mut doubled: Vec<_> = readings.iter().copied().enumerate().collect();
        for (which, later) in again {
            let which = which % readings.len();
            let first = doubled.iter().position(|(id, _)| *id == which).unwrap();
            let place = (first + 1 + later).min(doubled.len());
            doubled.insert(place, (which, readings[which]));
        }
        let doubled: Vec<_> = doubled.into_iter().map(|(_, reading)| reading).collect();
        let rule = rule(duration, pause);
        prop_assert_eq!(changes_of(&rule, &doubled, usize::MAX), changes_of(&rule, &readings, usize::MAX));
    }

    #[test]
    fn a_snapshot_between_any_two_readings_changes_nothing(readings in readings(), every in 1..10usize, duration in 0..5u32) {
        let rule = rule(duration, 2);
        prop_assert_eq!(changes_of(&rule, &readings, every), changes_of(&rule, &readings, usize::MAX));
    }
}
