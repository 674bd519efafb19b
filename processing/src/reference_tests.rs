//! Compares the stages with a reference model that reads the whole log once, in order. Late and redelivered readings,
//! batch sizes and crashes must not change alarms, health or activities.

use std::collections::BTreeMap;

use domain::activity::ActivityCommand;
use domain::alarm::AlarmCommand;
use domain::alarming::alarm_id;
use domain::ids::RuleId;
use proptest::prelude::*;
use uuid::Uuid;

use crate::pipeline_tests::{Observed, plan, run};
use crate::stage::Command;
use crate::testing::{Plan, asset, device};

/// The cooldown of the sample rules, in seconds.
const COOLDOWN: i64 = 3;
const DEVICES: u128 = 4;

/// The steps of each alarm, the scores of each asset, and the number of activities.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    alarms: BTreeMap<Uuid, Vec<&'static str>>,
    health: BTreeMap<Uuid, Vec<(Option<u8>, u8)>>,
    activities: usize,
}

/// Models one rule on one entity, given all its values in log order as second and whether the condition holds. Returns
/// the number of alarms.
fn rule(outcome: &mut Outcome, rule: u128, entity: Uuid, duration: i64, values: &[(i64, bool)]) -> usize {
    let (mut known, mut newest, mut raised_at) = (Vec::<(i64, bool)>::new(), None, None);
    let (mut episode, mut is_raised) = (0, false);
    for (second, holds) in values {
        known.push((*second, *holds));
        known.sort_unstable();
        if newest > Some(*second) {
            continue;
        }
        newest = Some(*second);
        let id = |episode| alarm_id(RuleId(Uuid::from_u128(rule)), entity, episode).0;
        if !holds {
            if std::mem::take(&mut is_raised) {
                outcome.alarms.entry(id(episode)).or_default().push("return");
            }
            continue;
        }
        // Go back through all values known so far to where the condition began to hold.
        let since = known.iter().rev().take_while(|(_, holds)| *holds).last().map_or(*second, |(since, _)| *since);
        if is_raised || second - since < duration {
            continue;
        }
        is_raised = true;
        if raised_at.is_some_and(|raised| second - raised < COOLDOWN) {
            outcome.alarms.entry(id(episode)).or_default().push("repeat");
            continue;
        }
        if episode > 0 {
            outcome.alarms.entry(id(episode)).or_default().push("supersede");
        }
        episode += 1;
        raised_at = Some(*second);
        outcome.alarms.entry(id(episode)).or_default().push("raise");
    }
    usize::try_from(episode).unwrap()
}

/// Health by the sample type's band: 100 up to a heat of 50, 0 from 100 on.
fn score(heat: f64) -> u8 {
    (100.0 - (heat - 50.0).max(0.0) * 2.0).clamp(0.0, 100.0).round() as u8
}

fn model(samples: &[(u128, i64, f64)]) -> Outcome {
    let mut outcome = Outcome::default();
    for n in 0..DEVICES {
        let values: Vec<(i64, f64)> =
            samples.iter().filter(|(of, ..)| *of == n).map(|(_, second, value)| (*second, *value)).collect();
        let holds = |limit: f64| values.iter().map(|(second, value)| (*second, *value > limit)).collect::<Vec<_>>();
        let hot = rule(&mut outcome, 1, device(n).0, 0, &holds(80.0));
        rule(&mut outcome, 2, asset(n), 2, &holds(85.0));
        let (mut scores, mut newest) = (Vec::<(i64, u8)>::new(), None);
        for (second, value) in &values {
            let is_new = newest < Some(*second) && scores.last().is_none_or(|(_, last)| *last != score(*value));
            newest = newest.max(Some(*second));
            if is_new {
                scores.push((*second, score(*value)));
            }
        }
        if !scores.is_empty() {
            let before = std::iter::once(None).chain(scores.iter().map(|(_, score)| Some(*score)));
            outcome.health.insert(asset(n), before.zip(scores.iter().map(|(_, score)| *score)).collect());
        }
        let unhealthy: Vec<_> = scores.iter().map(|(second, score)| (*second, *score < 50)).collect();
        outcome.activities += hot + rule(&mut outcome, 3, asset(n), 0, &unhealthy);
    }
    outcome
}

fn outcome(observed: Observed) -> Outcome {
    let mut outcome = Outcome {
        health: observed.health.into_iter().map(|(asset, scores)| (asset.0, scores)).collect(),
        ..Outcome::default()
    };
    for (target, commands) in observed.commands {
        for command in commands {
            let step = match command {
                Command::Alarm { command: AlarmCommand::RaiseAlarm { .. }, .. } => "raise",
                Command::Alarm { command: AlarmCommand::RepeatAlarm { .. }, .. } => "repeat",
                Command::Alarm { command: AlarmCommand::ReturnToNormal { .. }, .. } => "return",
                Command::Alarm { command: AlarmCommand::SupersedeAlarm { .. }, .. } => "supersede",
                // Late data may amend the start of a breach; the model compares only that it is the same breach.
                Command::Alarm { command: AlarmCommand::AmendAlarmStart { .. }, .. } => continue,
                Command::Activity { command: ActivityCommand::CreateActivity { .. }, .. } => {
                    outcome.activities += 1;
                    continue;
                }
                other => panic!("{other:?}"),
            };
            outcome.alarms.entry(target).or_default().push(step);
        }
    }
    outcome
}

/// Readings of some devices in log order. Each device has at most one reading a second, and some readings are late.
fn samples() -> impl Strategy<Value = Vec<(u128, i64, f64)>> {
    let value = prop_oneof![Just(20.0), Just(70.0), Just(82.0), Just(95.0)];
    let one = (0..DEVICES, 0..5usize, value);
    prop::collection::vec(one, 1..80).prop_map(|steps| {
        let mut samples: Vec<_> =
            (0_i64..).zip(steps.iter()).map(|(second, (n, _, value))| (*n, second, *value)).collect();
        for (at, (_, jump, _)) in steps.iter().enumerate() {
            let other = (at + jump).min(samples.len() - 1);
            samples.swap(at, other);
        }
        samples
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn alarms_health_and_activities_match_the_model(
        samples in samples(),
        plans in prop::collection::vec(plan(), 5),
        again in prop::collection::vec((0..80usize, 0..80usize), 0..10),
    ) {
        let expected = model(&samples);
        prop_assert_eq!(&outcome(run(&samples, &vec![Plan::straight(); 5])), &expected);
        prop_assert_eq!(&outcome(run(&samples, &plans)), &expected);
        // A redelivered reading must have no effect.
        let mut doubled: Vec<_> = samples.iter().copied().enumerate().collect();
        for (which, later) in again {
            let which = which % samples.len();
            let first = doubled.iter().position(|(id, _)| *id == which).unwrap();
            let place = (first + 1 + later).min(doubled.len());
            doubled.insert(place, (which, samples[which]));
        }
        let doubled: Vec<_> = doubled.into_iter().map(|(_, sample)| sample).collect();
        prop_assert_eq!(&outcome(run(&doubled, &plans)), &expected);
    }
}

#[test]
fn the_model_produces_alarms_and_activities() {
    let samples: Vec<_> = (0..60).map(|n| (1, n, if n % 10 < 5 { 95.0 } else { 20.0 })).collect();
    let outcome = model(&samples);
    assert_eq!((outcome.alarms.len(), outcome.activities), (18, 12));
    assert!(outcome.alarms.values().all(|steps| steps.starts_with(&["raise", "return"])), "{outcome:?}");
}
