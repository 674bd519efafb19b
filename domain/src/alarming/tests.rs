//! Tests of the state machine: rules and readings in, changes out.

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

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

pub(super) fn above(value: f64) -> Criterion {
    Criterion::Compare(Comparison::new(Operator::Above, value))
}

/// Returns the rule "temperature > 80" with this duration and cooldown.
pub(super) fn rule(duration_seconds: u32, cooldown_seconds: u32) -> RuleEntry {
    let definition = RuleDefinition {
        name: "hot".into(),
        description: None,
        entity_type: EntityKind::Device,
        entity_id: None,
        type_id: None,
        metric_key: "temperature".into(),
        condition: Condition { duration_seconds, ..Condition::of(above(80.0)) },
        severity: Severity::High,
        action: RuleAction::None,
        cooldown_seconds,
        is_active: true,
    };
    RuleEntry {
        rule: RuleId(Uuid::from_u128(9)),
        organization: OrganizationId(Uuid::nil()),
        decides_since: 1,
        criterion_since: 1,
        metric_since: 1,
        retired: false,
        definition: Arc::new(definition),
    }
}

pub(super) fn sample(seconds: i64) -> Sample {
    Sample { measured_at: at(seconds), received_at: at(seconds), clock: Clock::default() }
}

pub(super) fn feed(entity: &mut EntityWatch, rules: &[RuleEntry], seconds: i64, value: Option<f64>) -> Vec<Change> {
    let mut changes = Vec::new();
    let sample = sample(seconds);
    let value = |metric: &str| value.filter(|_| metric == "temperature");
    entity.observe(rules.iter(), sample, value, &|_| None, &mut changes);
    changes.into_iter().map(|(_, change)| change).collect()
}

pub(super) fn run(rule: &RuleEntry, readings: &[(i64, f64)]) -> Vec<Change> {
    let mut entity = EntityWatch::default();
    let rules = [rule.clone()];
    readings.iter().flat_map(|(seconds, value)| feed(&mut entity, &rules, *seconds, Some(*value))).collect()
}

pub(super) fn raised(episode: u64, started: i64, raised: i64, value: f64) -> Change {
    Change::Raised { episode, started_at: at(started), raised_at: at(raised), value, suppression: None }
}

pub(super) fn ended(episode: u64, seconds: i64, value: Option<f64>) -> Change {
    Change::Ended { episode, repeats: 0, value, at: at(seconds), announce: true, severity: Some(Severity::High) }
}

#[test]
fn a_breach_is_raised_once_and_ends_once() {
    let changes = run(&rule(0, 0), &[(0, 70.0), (1, 81.0), (2, 99.0), (3, 80.0), (4, 79.0), (5, 90.0)]);
    assert_eq!(changes, [raised(1, 1, 1, 81.0), ended(1, 3, Some(80.0)), raised(2, 5, 5, 90.0)]);
}

#[test]
fn a_breach_must_last_by_the_time_of_measurement() {
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (9, 91.0)]), []);
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (9, 91.0), (10, 92.0), (11, 93.0)]), [raised(1, 0, 10, 92.0)]);
}

#[test]
fn an_interrupted_breach_restarts_its_duration() {
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (5, 70.0), (6, 90.0), (15, 90.0)]), []);
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (5, 70.0), (6, 90.0), (16, 90.0)]), [raised(1, 6, 16, 90.0)]);
}

#[test]
fn a_recurrence_within_the_cooldown_repeats_the_alarm() {
    let readings = [(0, 90.0), (1, 70.0), (2, 91.0), (3, 70.0), (59, 92.0), (60, 93.0), (61, 70.0), (62, 94.0)];
    let repeated = |repeats, seconds, value| Change::Repeated {
        episode: 1,
        repeats,
        value,
        at: at(seconds),
        suppression: None,
        announce: false,
        severity: Some(Severity::High),
    };
    let over = |repeats, seconds| Change::Ended {
        episode: 1,
        repeats,
        value: Some(70.0),
        at: at(seconds),
        announce: repeats == 0,
        severity: Some(Severity::High),
    };
    let expected = [
        raised(1, 0, 0, 90.0),
        over(0, 1),
        repeated(1, 2, 91.0),
        over(1, 3),
        repeated(2, 59, 92.0),
        over(2, 61),
        raised(2, 62, 62, 94.0),
    ];
    assert_eq!(run(&rule(0, 60), &readings), expected);
}

#[test]
fn late_data_move_the_start_and_never_raise_a_second_alarm() {
    let changes = run(&rule(0, 0), &[(5, 70.0), (10, 90.0), (8, 90.0), (4, 90.0), (8, 90.0), (7, 90.0)]);
    let amended = |seconds| Change::StartAmended { episode: 1, started_at: at(seconds) };
    assert_eq!(changes, [raised(1, 10, 10, 90.0), amended(8), amended(7)]);
}

#[test]
fn a_late_value_can_show_that_the_condition_was_interrupted() {
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (8, 90.0), (4, 70.0), (12, 90.0)]), []);
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (8, 90.0), (4, 70.0), (18, 90.0)]), [raised(1, 8, 18, 90.0)]);
}

#[test]
fn a_retired_rule_ends_its_alarm_and_keeps_its_episode_number() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    assert_eq!(feed(&mut entity, &rules, 0, Some(90.0)), [raised(1, 0, 0, 90.0)]);
    assert_eq!(feed(&mut entity, &[], 1, Some(90.0)), [ended(1, 1, None)]);
    assert_eq!(feed(&mut entity, &[], 2, Some(90.0)), []);
    assert_eq!(feed(&mut entity, &rules, 3, Some(90.0)), [raised(2, 3, 3, 90.0)]);
}

pub(super) fn clock(now: i64, since: i64) -> Clock {
    Clock { now: at(now), since: at(since) }
}

/// Applies the rule "no temperature for 60 s" to readings and, where the value is `None`, ticks.
fn silent(events: &[(i64, Option<f64>)], clock_since: i64) -> Vec<Change> {
    let mut rule = rule(0, 0);
    let silence = Silence { no_data_seconds: 60, metric_key: None };
    Arc::make_mut(&mut rule.definition).condition = Condition::of(Criterion::Silence(silence));
    let (mut entity, rules, mut all) = (EntityWatch::default(), [rule], vec![]);
    for (seconds, value) in events {
        if value.is_some() {
            all.extend(feed(&mut entity, &rules, *seconds, *value));
        } else {
            let mut changes = Vec::new();
            entity.tick(rules.iter(), clock(*seconds, clock_since), &|_| None, &mut changes);
            all.extend(changes.into_iter().map(|(_, change)| change));
        }
    }
    all
}

#[test]
fn ticks_alone_detect_a_silent_metric() {
    let events = [(0, Some(20.0)), (30, None), (59, None), (60, None), (65, None), (70, Some(21.0)), (75, None)];
    assert_eq!(silent(&events, 0), [raised(1, 60, 60, 20.0), ended(1, 70, Some(21.0))]);
}

#[test]
fn a_metric_that_was_never_received_is_not_silent() {
    assert_eq!(silent(&[(60, None), (6_000, None)], 0), []);
}

#[test]
fn an_interruption_of_the_platform_does_not_count_as_silence() {
    let events = [(0, Some(20.0)), (1_000, None), (1_059, None), (1_060, None)];
    assert_eq!(silent(&events, 1_000), [raised(1, 1_060, 1_060, 20.0)]);
}

#[test]
fn late_readings_end_a_silence_too() {
    let mut rule = rule(0, 0);
    let silence = Silence { no_data_seconds: 60, metric_key: None };
    Arc::make_mut(&mut rule.definition).condition = Condition::of(Criterion::Silence(silence));
    let (mut entity, mut changes) = (EntityWatch::default(), vec![]);
    let mut receive = |measured, received| {
        let sample = Sample { received_at: at(received), ..sample(measured) };
        entity.observe([&rule].into_iter(), sample, |_| Some(1.0), &|_| None, &mut changes);
    };
    receive(50, 50);
    receive(20, 100);
    entity.tick([&rule].into_iter(), clock(159, 0), &|_| None, &mut changes);
    assert_eq!(changes, []);
    entity.tick([&rule].into_iter(), clock(160, 0), &|_| None, &mut changes);
    assert_eq!(changes.len(), 1);
}

#[test]
fn the_alarm_of_a_retired_rule_ends_with_the_next_tick() {
    let (mut entity, rules, mut changes) = (EntityWatch::default(), [rule(0, 0)], vec![]);
    feed(&mut entity, &rules, 0, Some(90.0));
    assert!(entity.awaits_time());
    entity.tick([].into_iter(), clock(5, 0), &|_| None, &mut changes);
    assert_eq!(changes, [(rules[0].rule, ended(1, 5, None))]);
    assert!(!entity.awaits_time());
}

#[test]
fn a_breach_begins_within_its_schedule_and_ends_at_any_time() {
    let mut rule = rule(0, 0);
    // at(0) is 2023-11-14 22:13:20 UTC.
    let window = Window { days: vec![], from: "22:13:25".parse().unwrap(), until: "22:13:30".parse().unwrap() };
    Arc::make_mut(&mut rule.definition).condition.schedule =
        Some(Schedule { time_zone: chrono_tz::UTC, windows: vec![window] });
    let readings = [(0, 90.0), (4, 90.0), (6, 91.0), (12, 92.0), (13, 70.0), (14, 90.0)];
    assert_eq!(run(&rule, &readings), [raised(1, 6, 6, 91.0), ended(1, 13, Some(70.0))]);
}

#[test]
fn a_gap_in_the_data_breaks_the_duration() {
    let mut rule = rule(10, 0);
    assert_eq!(run(&rule, &[(0, 90.0), (3_600, 90.0)]), [raised(1, 0, 3_600, 90.0)], "a gap of an hour is accepted");
    assert_eq!(run(&rule, &[(0, 90.0), (3_601, 90.0), (3_610, 90.0)]), []);
    Arc::make_mut(&mut rule.definition).condition.max_gap_seconds = Some(5);
    assert_eq!(run(&rule, &[(0, 90.0), (6, 90.0), (10, 91.0), (15, 92.0), (16, 93.0)]), [raised(1, 6, 16, 93.0)]);
    let late = [(0, 90.0), (6, 90.0), (3, 90.0), (0, 90.0), (10, 90.0), (13, 91.0)];
    assert_eq!(run(&rule, &late), [raised(1, 3, 13, 91.0)], "late data move the start, but not across a gap");
}

#[test]
fn no_state_is_kept_for_a_retired_rule_that_never_breached() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    feed(&mut entity, &rules, 0, Some(70.0));
    assert!(!entity.is_idle());
    feed(&mut entity, &[], 1, Some(70.0));
    assert!(entity.is_idle());
}

#[test]
fn alarm_ids_are_unique_per_rule_entity_and_episode_and_stable() {
    let (a, b) = (RuleId(Uuid::from_u128(1)), RuleId(Uuid::from_u128(2)));
    let ids = [alarm_id(a, DEVICE, 1), alarm_id(b, DEVICE, 1), alarm_id(a, OTHER_DEVICE, 1), alarm_id(a, DEVICE, 2)];
    assert_eq!(std::collections::HashSet::from(ids).len(), 4);
    assert_eq!(alarm_id(a, DEVICE, 1), ids[0]);
}

/// Readings at distinct times with limited reordering, like that of delayed messages; some lack the metric.
fn readings() -> impl Strategy<Value = Vec<(i64, Option<f64>)>> {
    let one = prop_oneof![4 => Just(Some(90.0)), 3 => Just(Some(70.0)), 1 => Just(None)];
    prop::collection::vec((0..6usize, one), 1..60).prop_map(|steps| {
        let mut times: Vec<i64> = (0..steps.len() as i64).collect();
        // Swap close neighbours, as delayed messages do.
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
        all.extend(feed(&mut entity, &rules, *seconds, *value));
        if count % restore_every == 0 {
            entity = rmp_serde::from_slice(&rmp_serde::to_vec(&entity).unwrap()).unwrap();
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn raised_and_ended_alternate_and_episodes_count_up(readings in readings(), duration in 0..5u32, pause in 0..5u32) {
        let mut standing = None;
        let (mut last, mut repeats) = (0, 0);
        for change in changes_of(&rule(duration, pause), &readings, usize::MAX) {
            match change {
                Change::Raised { episode, started_at, raised_at, .. } => {
                    prop_assert_eq!((standing, episode), (None, last + 1));
                    prop_assert!(started_at <= raised_at);
                    (standing, last, repeats) = (Some(started_at), episode, 0);
                }
                Change::Repeated { episode, repeats: again, at, .. } => {
                    prop_assert_eq!((standing, episode, again), (None, last, repeats + 1));
                    (standing, repeats) = (Some(at), again);
                }
                Change::StartAmended { episode, started_at } => {
                    prop_assert_eq!((episode, repeats), (last, 0));
                    prop_assert!(standing.is_some_and(|standing| started_at < standing));
                    standing = Some(started_at);
                }
                Change::SuppressionChanged { .. } => prop_assert!(false, "suppression without a cause"),
                Change::Ended { episode, repeats: again, .. } => {
                    prop_assert_eq!((episode, again), (last, repeats));
                    prop_assert!(standing.take().is_some());
                }
            }
        }
    }

    #[test]
    fn repeated_readings_change_nothing(readings in readings(), again in prop::collection::vec((0..60usize, 0..60usize), 0..30), duration in 0..5u32, pause in 0..5u32) {
        let mut with_repeats: Vec<_> = readings.iter().copied().enumerate().collect();
        for (which, later) in again {
            let which = which % readings.len();
            let first = with_repeats.iter().position(|(id, _)| *id == which).unwrap();
            let place = (first + 1 + later).min(with_repeats.len());
            with_repeats.insert(place, (which, readings[which]));
        }
        let with_repeats: Vec<_> = with_repeats.into_iter().map(|(_, reading)| reading).collect();
        let rule = rule(duration, pause);
        prop_assert_eq!(changes_of(&rule, &with_repeats, usize::MAX), changes_of(&rule, &readings, usize::MAX));
    }

    #[test]
    fn a_snapshot_between_readings_changes_nothing(readings in readings(), every in 1..10usize, duration in 0..5u32) {
        let rule = rule(duration, 2);
        prop_assert_eq!(changes_of(&rule, &readings, every), changes_of(&rule, &readings, usize::MAX));
    }
}
