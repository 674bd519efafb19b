//! Tests of values that are late, repeated, or of the same time as another.

use super::newest_values::Arrival;
use super::tests::{above, at, clock, ended, feed, raised, rule, run};
use super::*;
use crate::directory::RuleEntry;

fn with(condition: Condition) -> RuleEntry {
    let mut rule = rule(0, 0);
    std::sync::Arc::make_mut(&mut rule.definition).condition = condition;
    rule
}

#[test]
fn a_reading_older_than_the_newest_never_raises_an_alarm() {
    assert_eq!(run(&rule(0, 0), &[(10, 70.0), (9, 99.0)]), []);
    assert_eq!(run(&rule(0, 0), &[(10, 90.0), (9, 70.0)]), [raised(1, 10, 10, 90.0)], "nor does it end one");
}

#[test]
fn a_metric_that_is_older_than_the_other_metrics_of_its_entity_raises_and_ends_alarms() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    assert_eq!(feed(&mut entity, &rules, 10, None), []);
    assert_eq!(feed(&mut entity, &rules, 5, Some(99.0)), [raised(1, 5, 5, 99.0)]);
    assert_eq!(feed(&mut entity, &rules, 20, None), []);
    assert_eq!(feed(&mut entity, &rules, 6, Some(70.0)), [ended(1, 6, Some(70.0))]);
}

#[test]
fn another_value_of_the_same_time_is_a_correction_that_raises_and_ends_alarms() {
    let readings = [(10, 70.0), (10, 95.0), (10, 95.0), (10, 60.0), (10, 60.0)];
    assert_eq!(run(&rule(0, 0), &readings), [raised(1, 10, 10, 95.0), ended(1, 10, Some(60.0))]);
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (10, 70.0), (10, 90.0)]), [], "its duration starts again");
    assert_eq!(run(&rule(10, 0), &[(0, 90.0), (10, 95.0), (10, 96.0)]), [raised(1, 0, 10, 95.0)]);
}

#[test]
fn a_correction_within_the_dead_band_keeps_the_alarm() {
    let sticky = Comparison { dead_band: Some(5.0), ..Comparison::new(Operator::Above, 80.0) };
    let rule = with(Condition::of(Criterion::Compare(sticky)));
    let readings = [(10, 85.0), (10, 78.0), (10, 74.0), (10, 78.0)];
    assert_eq!(run(&rule, &readings), [raised(1, 10, 10, 85.0), ended(1, 10, Some(74.0))]);
}

#[test]
fn a_correction_counts_for_conditions_with_several_parts_and_for_their_clearing() {
    let rule = with(Condition {
        clear: Some(Criterion::Compare(Comparison::new(Operator::Below, 60.0))),
        ..Condition::of(above(80.0))
    });
    let readings = [(10, 70.0), (10, 95.0), (11, 70.0), (11, 50.0), (11, 50.0)];
    assert_eq!(run(&rule, &readings), [raised(1, 10, 10, 95.0), ended(1, 11, Some(50.0))]);
}

#[test]
fn a_rate_is_that_of_the_two_newest_times() {
    let rising = Comparison { per_second: true, ..Comparison::new(Operator::Above, 2.0) };
    let rule = with(Condition::of(Criterion::Compare(rising)));
    let readings = [(0, 10.0), (10, 20.0), (10, 40.0), (10, 15.0), (12, 25.0)];
    assert_eq!(run(&rule, &readings), [raised(1, 10, 10, 40.0), ended(1, 10, Some(15.0)), raised(2, 12, 12, 25.0)]);
    assert_eq!(run(&rule, &[(0, -f64::MAX), (1, f64::MAX)]), [], "a rate beyond all numbers is no value");
}

#[test]
fn a_value_of_the_same_time_is_news_unless_it_is_the_newest_again() {
    let mut values = NewestValues::default();
    let mut record = |value, time| values.record("t", value, time, time);
    let arrivals =
        [record(1.0, 10), record(1.0, 10), record(2.0, 10), record(1.0, 10), record(3.0, 9), record(3.0, 11)];
    use Arrival::{Late, News, Repetition};
    assert_eq!(arrivals, [News, Repetition, News, News, Late, News]);
}

#[test]
fn a_skipped_reading_does_not_count_when_repeated() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    let mut take = |seconds, value| feed(&mut entity, &rules, seconds, Some(value));
    assert_eq!([take(10, 70.0), take(12, 70.0), take(11, 90.0)], [[], [], []]);
    assert_eq!(take(13, 90.0), [raised(1, 13, 13, 90.0)]);
    assert_eq!(take(11, 90.0), [], "it was late the first time and still is");
}

#[test]
fn a_silent_metric_of_an_older_time_ends_its_silence() {
    let rule = with(Condition::of(Criterion::Silence(Silence { no_data_seconds: 60, metric_key: None })));
    let (mut entity, mut changes) = (EntityWatch::default(), vec![]);
    let mut receive = |measured, received, value| {
        let sample = Sample { measured_at: at(measured), received_at: at(received), clock: clock(received, 0) };
        entity.observe([&rule].into_iter(), sample, |_| Some(value), &|_| None, &mut changes);
    };
    // The same reading arrives three times.
    [0, 50, 100].into_iter().for_each(|received| receive(0, received, 1.0));
    entity.tick([&rule].into_iter(), clock(159, 0), &|_| None, &mut changes);
    assert_eq!(changes, []);
    entity.tick([&rule].into_iter(), clock(160, 0), &|_| None, &mut changes);
    assert_eq!(changes.len(), 1);
}

#[test]
fn a_snapshot_of_the_version_that_judged_by_source_is_still_read() {
    // [[newest by source], [[rule, watch]], timed]; the watch of a single comparison knew only the time of its newest
    // value.
    type Former = (Vec<(uuid::Uuid, i64)>, Vec<(crate::ids::RuleId, Watch)>, bool);
    type Watch =
        (u64, u64, Option<i64>, Option<i64>, Option<i64>, serde_json::Value, u32, Option<u8>, bool, bool, Vec<u8>);
    let micros = |seconds| at(seconds).timestamp_micros();
    let phase = serde_json::json!({"Raised": micros(10)});
    let watch = (1, 1, Some(micros(10)), None, Some(micros(10)), phase, 0, None, true, false, vec![]);
    let rules = [rule(0, 0)];
    let former: Former = (vec![(uuid::Uuid::from_u128(1), micros(10))], vec![(rules[0].rule, watch)], false);
    let restored = || rmp_serde::from_slice::<EntityWatch>(&rmp_serde::to_vec(&former).unwrap()).unwrap();
    let ended = |seconds| match ended(1, seconds, Some(70.0)) {
        Change::Ended { episode, repeats, value, at, announce, .. } => {
            Change::Ended { episode, repeats, value, at, announce, severity: None }
        }
        other => other,
    };
    assert_eq!(feed(&mut restored(), &rules, 9, Some(70.0)), [], "late");
    assert_eq!(feed(&mut restored(), &rules, 10, Some(90.0)), [], "the same again");
    assert_eq!(feed(&mut restored(), &rules, 10, Some(70.0)), [ended(10)]);
    assert_eq!(feed(&mut restored(), &rules, 11, Some(70.0)), [ended(11)]);
}
