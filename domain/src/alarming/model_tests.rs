//! Compares the state machine with a simple model that keeps all values and re-evaluates all of them for each new one:
//! readings with late and equal times, and a rule that is edited, paused and resumed in between.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::edit_tests::{edited, paused, resumed};
use super::tests::{at, clock, rule};
use super::*;
use crate::directory::RuleEntry;

const METRICS: [&str; 2] = ["temperature", "flow"];

/// What happens, and the rule as it then is.
#[derive(Clone, Debug)]
struct Entry {
    rule: RuleEntry,
    /// Seconds since the start.
    at: i64,
    /// The value of each metric that a reading contains; none for a tick.
    reading: Option<[Option<f64>; 2]>,
}

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

/// All values that the rule has seen, except late ones and repetitions: metric, seconds, value.
#[derive(Default)]
struct Seen(Vec<(&'static str, i64, f64)>);

impl Seen {
    /// Lists the values of a metric by time; of equal times the last to arrive counts.
    fn values(&self, metric: &str) -> Vec<(i64, f64)> {
        let mut values: Vec<(i64, f64)> = Vec::new();
        for (_, seconds, value) in self.0.iter().filter(|(of, ..)| *of == metric) {
            values.retain(|(at, _)| at != seconds);
            values.push((*seconds, *value));
        }
        values
    }

    /// Adds the values of a reading; returns whether one of them is news.
    fn add(&mut self, asked: &[&str], at: i64, reading: [Option<f64>; 2]) -> bool {
        let before = self.0.len();
        for (metric, value) in METRICS.into_iter().zip(reading) {
            let Some(value) = value.filter(|_| asked.contains(&metric)) else { continue };
            let newest = self.values(metric).last().copied();
            if newest.is_none_or(|(last, known)| at > last || (at == last && value != known)) {
                self.0.push((metric, at, value));
            }
        }
        self.0.len() > before
    }

    fn holds(&self, criterion: &Criterion, lasting: bool) -> bool {
        match criterion {
            Criterion::All { all } => all.iter().all(|part| self.holds(part, lasting)),
            Criterion::Any { any } => any.iter().any(|part| self.holds(part, lasting)),
            Criterion::Silence(_) => unreachable!("the model has no silences"),
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

/// The model's memory of a rule on an entity.
#[derive(Default)]
struct Model {
    seen: Seen,
    /// The edit that was last taken into account; none before the first reading.
    edit: Option<u64>,
    /// The newest time of the metrics.
    now: Option<i64>,
    /// When the condition was evaluated since the last reset, and whether it held.
    held: Vec<(i64, bool)>,
    is_raised: bool,
    episodes: u64,
    /// When the last alarm was raised, unless an edit came since.
    raised_at: Option<i64>,
    repeats: u32,
    changes: Vec<Summary>,
}

impl Model {
    fn take(&mut self, Entry { rule, at, reading }: &Entry) {
        let condition = &rule.definition.condition;
        let asked = condition.metrics("temperature");
        let reading = reading.unwrap_or_default();
        let concerns = METRICS.iter().zip(reading).any(|(metric, value)| value.is_some() && asked.contains(metric));
        if self.edit.is_none() && !(concerns && rule.is_active()) {
            return;
        }
        let known = *self.edit.get_or_insert(rule.decides_since);
        let is_edited = rule.is_active() && known != rule.decides_since;
        if is_edited {
            self.edit = Some(rule.decides_since);
            self.now = asked.iter().filter_map(|metric| Some(self.seen.values(metric).last()?.0)).max();
            if !self.is_raised {
                self.forget();
            }
        }
        let is_news = self.seen.add(&asked, *at, reading);
        let now = self.now.map_or(*at, |now| now.max(*at));
        self.now = if is_news { Some(now) } else { self.now };
        if is_edited && self.is_raised {
            let holds = match &condition.clear {
                Some(clear) if rule.criterion_since <= known => !self.seen.holds(clear, false),
                _ => self.seen.holds(&condition.criterion, true),
            };
            if !holds {
                self.end(now);
                self.forget();
            }
        } else if is_news && rule.is_active() {
            self.judge(rule, now);
        }
    }

    fn judge(&mut self, rule: &RuleEntry, now: i64) {
        let condition = &rule.definition.condition;
        let holds = match &condition.clear {
            Some(clear) if self.is_raised => !self.seen.holds(clear, false),
            _ => self.seen.holds(&condition.criterion, self.is_raised),
        };
        self.held.push((now, holds));
        if !holds {
            self.end(now);
            return;
        }
        // Walk back to where the condition began to hold without too long a gap.
        let gap = i64::from(condition.gap_bound());
        let lasted = self.held.windows(2).rev().take_while(|pair| pair[0].1 && pair[1].0 - pair[0].0 <= gap);
        let since = lasted.last().map_or(now, |pair| pair[0].0);
        if self.is_raised || now - since < i64::from(condition.duration_seconds) {
            return;
        }
        self.is_raised = true;
        let cooldown = i64::from(rule.definition.cooldown_seconds);
        let change = if self.raised_at.is_some_and(|raised| now - raised < cooldown) {
            self.repeats += 1;
            "repeated"
        } else {
            (self.episodes, self.repeats, self.raised_at) = (self.episodes + 1, 0, Some(now));
            "raised"
        };
        self.changes.push((change, self.episodes, self.repeats, at(now)));
    }

    fn end(&mut self, now: i64) {
        if std::mem::take(&mut self.is_raised) {
            self.changes.push(("ended", self.episodes, self.repeats, at(now)));
        }
    }

    fn forget(&mut self) {
        self.held.clear();
        (self.raised_at, self.repeats) = (None, 0);
    }
}

fn model(entries: &[Entry]) -> Vec<Summary> {
    let mut model = Model::default();
    entries.iter().for_each(|entry| model.take(entry));
    model.changes
}

fn machine(entries: &[Entry]) -> Vec<Summary> {
    let (mut entity, mut changes) = (EntityWatch::default(), Vec::new());
    for Entry { rule, at: seconds, reading } in entries {
        let rules = [rule].into_iter();
        if let Some(values) = reading {
            let sample = Sample { measured_at: at(*seconds), received_at: at(*seconds), clock: Clock::default() };
            let value =
                |metric: &str| METRICS.iter().zip(values).find(|(known, _)| **known == metric)?.1.as_ref().copied();
            entity.observe(rules, sample, value, &|_| None, &mut changes);
        } else {
            entity.tick(rules, clock(*seconds, 0), &|_| None, &mut changes);
        }
        entity = rmp_serde::from_slice(&rmp_serde::to_vec(&entity).unwrap()).unwrap();
    }
    let summaries = changes.into_iter().filter_map(|(_, change)| match change {
        Change::Raised { episode, raised_at, .. } => Some(("raised", episode, 0, raised_at)),
        Change::Repeated { episode, repeats, at, .. } => Some(("repeated", episode, repeats, at)),
        Change::Ended { episode, repeats, at, .. } => Some(("ended", episode, repeats, at)),
        // Late values move the start of a breach; the model knows nothing of them.
        Change::StartAmended { .. } => None,
        other => panic!("{other:?}"),
    });
    summaries.collect()
}

/// One step of a history; each but an edit lasts some seconds. Negative ones make a reading late.
#[derive(Clone, Debug)]
enum Step {
    Read(i64, [Option<f64>; 2]),
    Tick(i64),
    /// The rule gets another condition, or only another gap.
    Edit(Option<Condition>, u32),
    PauseOrResume,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let temperature = prop::option::weighted(0.8, prop_oneof![Just(70.0), Just(77.0), Just(85.0), Just(95.0)]);
    let flow = prop::option::weighted(0.6, prop_oneof![Just(1.0), Just(2.5), Just(5.0)]);
    let one = prop_oneof![
        16 => (-3..12i64, temperature, flow).prop_map(|(step, temperature, flow)| Step::Read(step, [temperature, flow])),
        2 => (1..12i64).prop_map(Step::Tick),
        1 => (prop::option::of(prop::sample::select(conditions())), 1..12u32).prop_map(|(of, gap)| Step::Edit(of, gap)),
        1 => Just(Step::PauseOrResume),
    ];
    prop::collection::vec(one, 1..80)
}

/// Places steps in time. A late value of a single comparison can interrupt a duration, which the model does not know, so
/// without `with_late` no time is before another.
fn entries(mut rule: RuleEntry, steps: Vec<Step>, with_late: bool) -> Vec<Entry> {
    let (mut now, mut entries) = (0, Vec::new());
    for step in steps {
        match step {
            Step::Read(step, values) => {
                now += if with_late { step } else { step.max(0) };
                entries.push(Entry { rule: rule.clone(), at: now, reading: Some(values) });
            }
            Step::Tick(step) => {
                now += step;
                entries.push(Entry { rule: rule.clone(), at: now, reading: None });
            }
            Step::Edit(condition, gap) => {
                rule = edited(&rule, |definition| {
                    let duration_seconds = definition.condition.duration_seconds;
                    let condition = condition.unwrap_or_else(|| definition.condition.clone());
                    definition.condition = Condition { duration_seconds, max_gap_seconds: Some(gap), ..condition };
                });
            }
            Step::PauseOrResume => rule = if rule.is_active() { paused(&rule) } else { resumed(&rule) },
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_state_machine_agrees_with_the_model(
        steps in steps(),
        condition in prop::sample::select(conditions()),
        duration in prop_oneof![Just(0), 0..30u32],
        gap in prop::option::of(1..12u32),
        cooldown in 0..60u32,
    ) {
        let mut rule = rule(duration, cooldown);
        std::sync::Arc::make_mut(&mut rule.definition).condition =
            Condition { duration_seconds: duration, max_gap_seconds: gap, ..condition };
        let entries = entries(rule, steps, duration == 0);
        prop_assert_eq!(machine(&entries), model(&entries));
    }
}

#[test]
fn the_model_yields_changes_for_every_condition() {
    let readings = (1..80).map(|n| Step::Read(3, [Some([70.0, 95.0][n as usize / 4 % 2]), Some(1.0)]));
    let readings: Vec<Step> = readings.collect();
    for condition in conditions() {
        let mut rule = rule(0, 20);
        std::sync::Arc::make_mut(&mut rule.definition).condition = condition.clone();
        assert!(!model(&entries(rule, readings.clone(), false)).is_empty(), "{condition:?}");
    }
}
