//! Compares the state machine with a simple model that keeps all readings and re-evaluates all of them for each new
//! one.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::tests::{at, rule};
use super::*;
use crate::directory::RuleEntry;

const DEVICE: Uuid = Uuid::from_u128(1);
const METRICS: [&str; 2] = ["temperature", "flow"];

/// Seconds since the start, and the value of each metric that the reading contains.
type Reading = (i64, [Option<f64>; 2]);

fn compare(metric: &str, operator: Operator, value: f64) -> Comparison {
    Comparison { metric_key: Some(metric.into()), ..Comparison::new(operator, value) }
}

/// Conditions that exercise different parts of the state machine.
fn conditions() -> Vec<Condition> {
    let hot = Comparison::new(Operator::Above, 80.0);
    let dry = compare("flow", Operator::Below, 2.0);
    let parts = |parts: [&Comparison; 2]| parts.map(|part| Criterion::Compare(part.clone())).to_vec();
    let rising = Comparison { per_second: true, value: 0.5, ..hot.clone() };
    let sticky = Comparison { dead_band: Some(5.0), ..hot.clone() };
    vec![
        Condition::of(Criterion::Compare(hot.clone())),
        Condition::of(Criterion::Compare(sticky.clone())),
        Condition::of(Criterion::All { all: parts([&hot, &dry]) }),
        Condition::of(Criterion::Any { any: parts([&sticky, &dry]) }),
        Condition::of(Criterion::Compare(rising.clone())),
        Condition::of(Criterion::Any {
            any: vec![Criterion::All { all: parts([&rising, &dry]) }, Criterion::Compare(dry.clone())],
        }),
        Condition {
            clear: Some(Criterion::Compare(compare("flow", Operator::Above, 3.0))),
            ..Condition::of(Criterion::Compare(hot))
        },
    ]
}

/// All readings up to and including one of them.
struct History<'p>(&'p [Reading]);

impl History<'_> {
    fn values(&self, metric: &str) -> Vec<(i64, f64)> {
        let place = METRICS.iter().position(|known| *known == metric).unwrap();
        self.0.iter().filter_map(|(seconds, values)| Some((*seconds, values[place]?))).collect()
    }

    fn holds(&self, criterion: &Criterion, lasting: bool) -> bool {
        match criterion {
            Criterion::All { all } => all.iter().all(|part| self.holds(part, lasting)),
            Criterion::Any { any } => any.iter().any(|part| self.holds(part, lasting)),
            Criterion::Silence(_) => unreachable!("the model has no clock"),
            Criterion::Compare(comparison) => {
                let values = self.values(comparison.metric_key.as_deref().unwrap_or("temperature"));
                match values.as_slice() {
                    [.., (before, from), (seconds, to)] if comparison.per_second => {
                        comparison.holds((to - from) / (seconds - before) as f64, lasting)
                    }
                    [.., (_, value)] if !comparison.per_second => comparison.holds(*value, lasting),
                    _ => false,
                }
            }
        }
    }
}

/// A change, as `(name, episode, repeats, time)`.
type Summary = (&'static str, u64, u32, DateTime<Utc>);

fn model(rule: &RuleEntry, readings: &[Reading]) -> Vec<Summary> {
    let definition = &rule.definition;
    let condition = &definition.condition;
    let asked = condition.metrics(&definition.metric_key);
    let concerns = |(_, values): &Reading| {
        METRICS.iter().zip(values).any(|(metric, value)| value.is_some() && asked.contains(metric))
    };
    let (mut expected, mut raised, mut episodes) = (Vec::new(), None, Vec::<i64>::new());
    let (mut repeats, mut held) = (0, Vec::<(i64, bool)>::new());
    for index in (0..readings.len()).filter(|index| concerns(&readings[*index])) {
        let (past, now) = (History(&readings[..=index]), readings[index].0);
        let holds = match (&condition.clear, raised) {
            (Some(clear), Some(())) => !past.holds(clear, false),
            _ => past.holds(&condition.criterion, raised.is_some()),
        };
        held.push((now, holds));
        if !holds {
            if raised.take().is_some() {
                expected.push(("ended", episodes.len() as u64, repeats, at(now)));
            }
            continue;
        }
        // Walk back to where the condition began to hold without too long a gap.
        let gap = i64::from(condition.gap_bound());
        let lasted = held.windows(2).rev().take_while(|pair| pair[0].1 && pair[1].0 - pair[0].0 <= gap);
        let since = lasted.last().map_or(now, |pair| pair[0].0);
        if raised.is_some() || now - since < i64::from(condition.duration_seconds) {
            continue;
        }
        raised = Some(());
        match episodes.last() {
            Some(last) if now - last < i64::from(definition.cooldown_seconds) => {
                repeats += 1;
                expected.push(("repeated", episodes.len() as u64, repeats, at(now)));
            }
            _ => {
                episodes.push(now);
                repeats = 0;
                expected.push(("raised", episodes.len() as u64, 0, at(now)));
            }
        }
    }
    expected
}

fn machine(rule: &RuleEntry, readings: &[Reading]) -> Vec<Summary> {
    let (mut entity, mut changes) = (EntityWatch::default(), Vec::new());
    for (seconds, values) in readings {
        let sample =
            Sample { source: DEVICE, measured_at: at(*seconds), received_at: at(*seconds), clock: Clock::default() };
        let value = |metric: &str| METRICS.iter().zip(values).find(|(known, _)| **known == metric)?.1.as_ref().copied();
        entity.observe([rule].into_iter(), sample, value, &|_| None, &mut changes);
        entity = rmp_serde::from_slice(&rmp_serde::to_vec(&entity).unwrap()).unwrap();
    }
    let summaries = changes.into_iter().map(|(_, change)| match change {
        Change::Raised { episode, raised_at, .. } => ("raised", episode, 0, raised_at),
        Change::Repeated { episode, repeats, at, .. } => ("repeated", episode, repeats, at),
        Change::Ended { episode, repeats, at, .. } => ("ended", episode, repeats, at),
        other => panic!("{other:?}"),
    });
    summaries.collect()
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let temperature = prop::option::weighted(0.8, prop_oneof![Just(70.0), Just(77.0), Just(85.0), Just(95.0)]);
    let flow = prop::option::weighted(0.6, prop_oneof![Just(1.0), Just(2.5), Just(5.0)]);
    let one = (1..12i64, temperature, flow);
    prop::collection::vec(one, 1..80).prop_map(|steps| {
        let mut now = 0;
        let placed = steps.into_iter().map(|(step, temperature, flow)| {
            now += step;
            (now, [temperature, flow])
        });
        placed.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_state_machine_agrees_with_the_model(
        readings in readings(),
        condition in prop::sample::select(conditions()),
        duration in 0..30u32,
        gap in prop::option::of(1..12u32),
        cooldown in 0..60u32,
    ) {
        let mut rule = rule(duration, cooldown);
        std::sync::Arc::make_mut(&mut rule.definition).condition =
            Condition { duration_seconds: duration, max_gap_seconds: gap, ..condition };
        prop_assert_eq!(machine(&rule, &readings), model(&rule, &readings));
    }
}

#[test]
fn the_model_yields_changes_for_every_condition() {
    let readings: Vec<Reading> =
        (1..80).map(|n| (n * 3, [Some([70.0, 95.0][n as usize / 4 % 2]), Some(1.0)])).collect();
    for condition in conditions() {
        let mut rule = rule(0, 20);
        std::sync::Arc::make_mut(&mut rule.definition).condition = condition.clone();
        assert!(!model(&rule, &readings).is_empty(), "{condition:?}");
    }
}
