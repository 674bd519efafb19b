//! Tests of the notification of suppressed alarms.

use super::tests::{at, ended, rule, sample};
use super::*;

#[test]
fn a_suppressed_alarm_is_notified_once_the_suppression_ends() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 0)]);
    let mut take = |seconds, value, suppression| {
        let mut changes = vec![];
        let value = |metric: &str| (metric == "temperature").then_some(value);
        entity.observe(rules.iter(), sample(seconds), value, &|_| suppression, &mut changes);
        changes.into_iter().map(|(_, change)| change).collect::<Vec<_>>()
    };
    let severity = Some(Severity::High);
    let changed = |suppression, announce, seconds| {
        vec![Change::SuppressionChanged { episode: 1, suppression, announce, at: at(seconds), severity }]
    };
    let (shelved, by_design) = (Some(Suppression::Shelved { until: at(9) }), Some(Suppression::OutOfService));
    let begun = Change::Raised { episode: 1, started_at: at(0), raised_at: at(0), value: 90.0, suppression: by_design };
    assert_eq!(take(0, 90.0, by_design), [begun]);
    assert_eq!(take(1, 90.0, by_design), []);
    assert_eq!(take(2, 90.0, None), changed(None, true, 2), "notified now");
    assert_eq!(take(3, 90.0, shelved), changed(shelved, false, 3));
    assert_eq!(take(4, 90.0, None), changed(None, false, 4), "already notified");
    assert_eq!(take(5, 70.0, None), [ended(1, 5, Some(70.0))]);
    assert_eq!(take(6, 90.0, shelved).len(), 1);
    let unheard = Change::Ended { episode: 2, repeats: 0, value: Some(70.0), at: at(7), announce: false, severity };
    assert_eq!(take(7, 70.0, shelved), [unheard]);
}

#[test]
fn a_recurrence_uses_the_current_suppression_and_is_notified_once() {
    let (mut entity, rules) = (EntityWatch::default(), [rule(0, 60)]);
    let mut take = |seconds, value, suppression| {
        let mut changes = vec![];
        let value = |metric: &str| (metric == "temperature").then_some(value);
        entity.observe(rules.iter(), sample(seconds), value, &|_| suppression, &mut changes);
        changes.into_iter().map(|(_, change)| change).collect::<Vec<_>>()
    };
    let shelved = Some(Suppression::Shelved { until: at(9) });
    let severity = Some(Severity::High);
    let repeated = |repeats, seconds, suppression, announce| {
        vec![Change::Repeated { episode: 1, repeats, value: 90.0, at: at(seconds), suppression, announce, severity }]
    };
    assert_eq!((take(0, 90.0, shelved).len(), take(1, 70.0, shelved).len()), (1, 1));
    assert_eq!(take(2, 90.0, shelved), repeated(1, 2, shelved, false));
    assert_eq!(take(3, 70.0, shelved).len(), 1);
    assert_eq!(take(4, 90.0, None), repeated(2, 4, None, true));
    assert_eq!((take(5, 70.0, None).len(), take(6, 90.0, None)), (1, repeated(3, 6, None, false)));
}
