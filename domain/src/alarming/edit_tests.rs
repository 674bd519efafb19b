//! Tests of rules that are edited, paused or resumed while an alarm stands.

use std::sync::Arc;

use super::tests::{above, clock, ended, feed, raised, rule};
use super::*;
use crate::directory::RuleEntry;
use crate::rule::RuleDefinition;

/// The rule after an edit of its condition, as the directory keeps it.
pub(super) fn edited(rule: &RuleEntry, edit: impl FnOnce(&mut RuleDefinition)) -> RuleEntry {
    let mut after = rule.clone();
    edit(Arc::make_mut(&mut after.definition));
    after.decides_since += 1;
    if after.definition.condition.criterion != rule.definition.condition.criterion {
        after.criterion_since = after.decides_since;
    }
    if after.definition.metric_key != rule.definition.metric_key {
        after.metric_since = after.decides_since;
    }
    after
}

fn limit(rule: &RuleEntry, value: f64) -> RuleEntry {
    edited(rule, |definition| definition.condition.criterion = above(value))
}

pub(super) fn paused(rule: &RuleEntry) -> RuleEntry {
    let mut paused = rule.clone();
    Arc::make_mut(&mut paused.definition).is_active = false;
    paused
}

pub(super) fn resumed(rule: &RuleEntry) -> RuleEntry {
    edited(rule, |definition| definition.is_active = true)
}

fn tick(entity: &mut EntityWatch, rules: &[RuleEntry], seconds: i64) -> Vec<Change> {
    let mut changes = Vec::new();
    entity.tick(rules.iter(), clock(seconds, 0), &|_| None, &mut changes);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// An entity with an alarm of the rule, raised at 0 by the value 100.
fn alarmed(rule: &RuleEntry) -> EntityWatch {
    let mut entity = EntityWatch::default();
    assert_eq!(feed(&mut entity, std::slice::from_ref(rule), 0, Some(100.0)), [raised(1, 0, 0, 100.0)]);
    entity
}

#[test]
fn a_raised_limit_under_which_the_breach_holds_keeps_the_alarm() {
    let old = rule(0, 0);
    let mut entity = alarmed(&old);
    let rules = [limit(&old, 90.0)];
    assert_eq!(tick(&mut entity, &rules, 1), []);
    assert_eq!(feed(&mut entity, &rules, 2, Some(95.0)), []);
    assert_eq!(feed(&mut entity, &rules, 3, Some(85.0)), [ended(1, 3, Some(85.0))], "by the new limit");
}

#[test]
fn a_limit_above_the_newest_value_ends_the_alarm_at_the_next_tick_or_value() {
    let old = rule(0, 3_600);
    let rules = [limit(&old, 120.0)];
    let mut entity = alarmed(&old);
    assert_eq!(tick(&mut entity, &rules, 5), [ended(1, 5, None)]);
    assert_eq!(tick(&mut entity, &rules, 10), []);
    assert_eq!(feed(&mut entity, &rules, 11, Some(121.0)), [raised(2, 11, 11, 121.0)]);
    assert_eq!(feed(&mut alarmed(&old), &rules, 1, Some(110.0)), [ended(1, 1, None)]);
    assert_eq!(feed(&mut alarmed(&old), &rules, 1, Some(130.0)), [], "the value that arrives first is the newest");
    assert_eq!(feed(&mut alarmed(&old), &rules, 1, None), [ended(1, 1, None)], "a reading of another metric");
}

#[test]
fn other_edits_of_the_condition_keep_the_alarm() {
    let old = rule(0, 0);
    let window = Window { days: vec![], from: "01:00:00".parse().unwrap(), until: "01:00:01".parse().unwrap() };
    let schedule = Schedule { time_zone: chrono_tz::UTC, windows: vec![window] };
    let rules = [
        edited(&old, |definition| definition.condition.duration_seconds = 600),
        edited(&old, |definition| definition.condition.max_gap_seconds = Some(1)),
        edited(&old, |definition| definition.condition.schedule = Some(schedule)),
        edited(&old, |definition| {
            definition.condition.clear = Some(Criterion::Compare(Comparison::new(Operator::Below, 60.0)))
        }),
    ];
    for rule in rules {
        let mut entity = alarmed(&old);
        let rules = [rule];
        assert_eq!(tick(&mut entity, &rules, 1), []);
        assert_eq!(feed(&mut entity, &rules, 2, Some(99.0)), []);
        assert_eq!(feed(&mut entity, &rules, 3, Some(50.0)), [ended(1, 3, Some(50.0))]);
    }
}

#[test]
fn an_edited_alarm_is_judged_with_its_dead_band_and_a_new_criterion_without_the_former_clearing() {
    let sticky = Comparison { dead_band: Some(5.0), ..Comparison::new(Operator::Above, 80.0) };
    let old = edited(&rule(0, 0), |definition| definition.condition.criterion = Criterion::Compare(sticky));
    let mut entity = alarmed(&old);
    assert_eq!(feed(&mut entity, std::slice::from_ref(&old), 1, Some(77.0)), []);
    let longer = edited(&old, |definition| definition.condition.duration_seconds = 600);
    assert_eq!(tick(&mut entity, &[longer], 2), []);

    let clear = Some(Criterion::Compare(Comparison::new(Operator::Below, 60.0)));
    let old = edited(&rule(0, 0), |definition| definition.condition.clear = clear);
    let mut entity = alarmed(&old);
    assert_eq!(feed(&mut entity, std::slice::from_ref(&old), 1, Some(70.0)), []);
    let longer = edited(&old, |definition| definition.condition.duration_seconds = 600);
    assert_eq!(tick(&mut entity, std::slice::from_ref(&longer), 2), []);
    assert_eq!(tick(&mut entity, &[limit(&longer, 120.0)], 3), [ended(1, 3, None)]);
}

#[test]
fn a_rule_of_another_metric_ends_its_alarm() {
    let old = rule(0, 0);
    let new = edited(&old, |definition| definition.metric_key = "pressure".into());
    assert_eq!(tick(&mut alarmed(&old), std::slice::from_ref(&new), 1), [ended(1, 1, None)]);
    assert_eq!(tick(&mut alarmed(&old), &[paused(&new)], 1), [ended(1, 1, None)], "even while it is paused");
}

#[test]
fn a_rule_edited_before_its_alarm_is_raised_starts_its_duration_again() {
    let old = rule(10, 0);
    let renamed = |rule: &RuleEntry| {
        let mut renamed = rule.clone();
        let definition = Arc::make_mut(&mut renamed.definition);
        (definition.name, definition.severity, definition.cooldown_seconds) = ("warm".into(), Severity::Low, 60);
        renamed
    };
    let run = |after: RuleEntry| {
        let mut entity = EntityWatch::default();
        assert_eq!(feed(&mut entity, std::slice::from_ref(&old), 0, Some(100.0)), []);
        [5, 10, 15]
            .into_iter()
            .flat_map(|at| feed(&mut entity, std::slice::from_ref(&after), at, Some(100.0)))
            .collect()
    };
    let (raised_at_10, raised_at_15): (Vec<_>, Vec<_>) = (run(renamed(&old)), run(limit(&old, 90.0)));
    assert_eq!(raised_at_10, [raised(1, 0, 10, 100.0)], "an edit that does not touch the condition loses nothing");
    assert_eq!(raised_at_15, [raised(1, 5, 15, 100.0)]);
}

#[test]
fn an_alarm_keeps_the_severity_with_which_it_was_raised() {
    let old = rule(0, 0);
    let mut milder = old.clone();
    Arc::make_mut(&mut milder.definition).severity = Severity::Low;
    let mut entity = alarmed(&old);
    assert_eq!(feed(&mut entity, &[milder], 1, Some(70.0)), [ended(1, 1, Some(70.0))]);
}

#[test]
fn the_alarm_of_a_paused_rule_stays_and_is_judged_once_the_rule_resumes() {
    let old = rule(0, 0);
    let (away, back) = ([paused(&old)], [resumed(&old)]);
    let mut entity = alarmed(&old);
    assert_eq!((feed(&mut entity, &away, 1, Some(20.0)), tick(&mut entity, &away, 2)), (vec![], vec![]));
    assert_eq!(feed(&mut entity, &away, 3, Some(99.0)), []);
    assert_eq!((tick(&mut entity, &back, 4), feed(&mut entity, &back, 5, Some(98.0))), (vec![], vec![]));
    assert_eq!(feed(&mut entity, &away, 6, Some(20.0)), []);
    let again = [resumed(&back[0])];
    assert_eq!(tick(&mut entity, &again, 7), [ended(1, 7, None)], "by the value that arrived during the pause");
    assert_eq!(feed(&mut entity, &again, 8, Some(99.0)), [raised(2, 8, 8, 99.0)]);
    assert_eq!(feed(&mut entity, &[], 9, None), [ended(2, 9, None)], "but an archived rule ends it");
}

#[test]
fn a_paused_rule_raises_nothing_and_watches_no_new_entity() {
    let old = rule(10, 0);
    let away = [paused(&old)];
    let mut unknown = EntityWatch::default();
    assert_eq!((feed(&mut unknown, &away, 0, Some(100.0)), unknown.is_idle()), (vec![], true));
    let mut entity = EntityWatch::default();
    assert_eq!(feed(&mut entity, std::slice::from_ref(&old), 0, Some(100.0)), []);
    assert_eq!(feed(&mut entity, &away, 10, Some(100.0)), []);
    let back = [resumed(&old)];
    assert_eq!(feed(&mut entity, &back, 15, Some(100.0)), [], "the pause counts for no duration");
    assert_eq!(feed(&mut entity, &back, 25, Some(100.0)), [raised(1, 15, 25, 100.0)]);
}

#[test]
fn a_paused_rule_reports_no_silence_and_none_that_data_during_the_pause_broke() {
    let silence = Criterion::Silence(Silence { no_data_seconds: 60, metric_key: None });
    let old = edited(&rule(0, 0), |definition| definition.condition.criterion = silence);
    let (away, back) = ([paused(&old)], [resumed(&old)]);
    let mut entity = EntityWatch::default();
    assert_eq!(feed(&mut entity, std::slice::from_ref(&old), 0, Some(20.0)), []);
    assert_eq!(tick(&mut entity, &away, 70), []);
    assert_eq!(feed(&mut entity, &away, 100, Some(20.0)), []);
    assert_eq!(tick(&mut entity, &back, 110), []);
    assert_eq!(tick(&mut entity, &back, 160), [raised(1, 160, 160, 20.0)]);
}

#[test]
fn an_edit_during_a_pause_is_judged_at_the_resumption() {
    let old = rule(0, 0);
    let mut entity = alarmed(&old);
    let away = paused(&limit(&old, 120.0));
    assert_eq!(tick(&mut entity, std::slice::from_ref(&away), 1), []);
    assert_eq!(tick(&mut entity, &[resumed(&away)], 2), [ended(1, 2, None)]);
}
