//! The reference platform: small, slow and obvious. It keeps one list of what happened, in the order in which it
//! happened, and computes every answer anew from all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::alarms::Watch;
pub use super::alarms::{Alarm, End};
use super::history::{DECLARED, Edit, Entity, LINKS, RULES, Reading, Step};

/// Microseconds since 1970.
pub type Micros = i64;

/// The numbers of a step and metric, each with the devices that sent it.
type Numbers = Vec<(f64, Vec<usize>)>;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Number(f64),
    Boolean(bool),
    Text(String),
}

/// A value of a metric at a time, as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub at: Micros,
    pub metric: String,
    pub content: Content,
    pub quality: String,
    /// The devices that sent it; empty for devices.
    pub sources: Vec<usize>,
}

/// The aggregate of a metric over a step.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub start: Micros,
    pub metric: String,
    pub count: i64,
    pub least: f64,
    pub greatest: f64,
    /// `None` if it has none.
    pub mean: Option<f64>,
    pub sources: BTreeSet<usize>,
}

/// Something that happened.
enum Fact {
    Reading { device: usize, at: Micros, values: Vec<(&'static str, &'static str)> },
    Link { link: usize, until: Option<Micros> },
    Edit { rule: usize, edit: Edit },
    Acknowledge { rule: usize },
    Dismiss { rule: usize },
}

/// What happened so far.
#[derive(Default)]
pub struct Reference(Vec<Fact>);

impl Reference {
    /// Takes a step. `first_hour` is in milliseconds; `arrivals` are the times of its readings without a time.
    pub fn take(&mut self, step: &Step, first_hour: i64, arrivals: impl IntoIterator<Item = Micros>) {
        let (micros, mut arrivals) = (|millis: i64| (first_hour + millis) * 1000, arrivals.into_iter());
        match step.clone() {
            Step::Send { device, messages } => {
                for Reading { time, values } in messages.into_iter().flat_map(|message| message.0) {
                    let at = time.map(|(at, _)| micros(at)).or_else(|| arrivals.next()).expect("a time of arrival");
                    self.0.push(Fact::Reading { device, at, values });
                }
            }
            Step::Edit { rule, edit } => self.0.push(Fact::Edit { rule, edit }),
            Step::Link { link, until } => self.0.push(Fact::Link { link, until: until.map(micros) }),
            Step::Acknowledge { rule } => self.0.push(Fact::Acknowledge { rule }),
            Step::Dismiss { rule } => self.0.push(Fact::Dismiss { rule }),
        }
    }

    /// Returns whether the newest alarm of a rule is one to acknowledge, or to dismiss.
    pub fn awaits(&self, step: &Step) -> bool {
        match step {
            Step::Acknowledge { rule } => {
                self.alarms(*rule).last().is_some_and(|alarm| alarm.closed.is_none() && !alarm.acknowledged)
            }
            Step::Dismiss { rule } => self.alarms(*rule).last().is_some_and(|alarm| alarm.closed.is_none()),
            _ => true,
        }
    }

    /// Returns the values of an entity in the order of arrival, each with the index of its fact.
    fn arrivals(&self, entity: Entity) -> Vec<(usize, Point)> {
        let mut until = [None; LINKS.len()];
        let mut arrivals = Vec::new();
        for (index, fact) in self.0.iter().enumerate() {
            match fact {
                Fact::Link { link, until: end } => until[*link] = *end,
                Fact::Reading { device, at, values } if entity == Entity::Device(*device) => {
                    arrivals.extend(points(*at, values, None, vec![]).map(|point| (index, point)));
                }
                Fact::Reading { device, at, values } => {
                    for ((from, asset, port), until) in LINKS.into_iter().zip(until) {
                        let is_valid = until.is_none_or(|until| *at < until);
                        if from == *device && entity == Entity::Asset(asset) && is_valid {
                            arrivals.extend(points(*at, values, port, vec![*device]).map(|point| (index, point)));
                        }
                    }
                }
                _ => {}
            }
        }
        arrivals
    }

    /// Returns the values of an entity in time order; of one time and metric, the last to arrive.
    pub fn history(&self, entity: Entity, metric: Option<&str>, range: Range<Micros>) -> Vec<Point> {
        let arrivals = self.arrivals(entity).into_iter().map(|(_, point)| point);
        let asked =
            arrivals.filter(|point| range.contains(&point.at) && metric.is_none_or(|metric| metric == point.metric));
        let last: BTreeMap<_, _> = asked.map(|point| ((point.at, point.metric.clone()), point)).collect();
        last.into_values().collect()
    }

    /// Returns the newest value of each metric, in the order of the metrics.
    pub fn latest(&self, entity: Entity) -> Vec<Point> {
        let history = self.history(entity, None, Micros::MIN..Micros::MAX);
        let newest: BTreeMap<_, _> = history.into_iter().map(|point| (point.metric.clone(), point)).collect();
        newest.into_values().collect()
    }

    /// Returns the aggregates of the numbers in a range, by steps of this length and metrics.
    pub fn aggregates(&self, entity: Entity, range: Range<Micros>, step: Micros) -> Vec<Bucket> {
        let mut buckets: BTreeMap<(Micros, String), Numbers> = BTreeMap::new();
        for Point { at, metric, content, sources, .. } in self.history(entity, None, range) {
            if let Content::Number(number) = content {
                buckets.entry((at / step * step, metric)).or_default().push((number, sources));
            }
        }
        let bucket = |((start, metric), values): ((Micros, String), Numbers)| {
            let numbers = || values.iter().map(|(number, _)| *number);
            // Divided before they are added, so that the sum cannot overflow.
            let mean = numbers().map(|number| number / values.len() as f64).sum();
            Bucket {
                start,
                metric,
                count: values.len() as i64,
                least: numbers().fold(f64::INFINITY, f64::min),
                greatest: numbers().fold(f64::NEG_INFINITY, f64::max),
                mean: Some(mean),
                sources: values.iter().flat_map(|(_, sources)| sources.iter().copied()).collect(),
            }
        };
        buckets.into_iter().map(bucket).collect()
    }

    /// Returns the alarms of a rule, oldest first.
    pub fn alarms(&self, rule: usize) -> Vec<Alarm> {
        let (entity, metric) = RULES[rule];
        let arrivals = self.arrivals(entity);
        let mut watch = Watch::default();
        for (index, fact) in self.0.iter().enumerate() {
            match fact {
                Fact::Edit { rule: edited, edit } if *edited == rule => watch.edit(edit),
                Fact::Acknowledge { rule: of } if *of == rule => watch.acknowledge(),
                Fact::Dismiss { rule: of } if *of == rule => watch.dismiss(),
                _ => {}
            }
            for (_, point) in arrivals.iter().filter(|(of, point)| *of == index && point.metric == metric) {
                match point.content {
                    Content::Number(number) => watch.observe(point.at, number),
                    Content::Boolean(value) => watch.observe(point.at, f64::from(u8::from(value))),
                    Content::Text(_) => {}
                }
            }
        }
        watch.alarms
    }
}

/// Returns the values of a reading; of an asset, as a link with this port shows them.
fn points(
    at: Micros,
    values: &[(&'static str, &'static str)],
    port: Option<u16>,
    sources: Vec<usize>,
) -> impl Iterator<Item = Point> {
    values.iter().filter_map(move |(key, literal)| {
        let name = match (port.map(|port| port.to_string()), key.split_once('.')) {
            (Some(port), Some((of, rest))) => (of == port).then_some(rest)?,
            _ => key,
        };
        let (content, is_exact) = content(literal)?;
        let is_in_range = match content {
            Content::Number(number) if *key == "level" => (DECLARED.0..=DECLARED.1).contains(&number),
            _ => true,
        };
        let quality = if is_exact && is_in_range { "good" } else { "uncertain" };
        Some(Point { at, metric: name.to_owned(), content, quality: quality.to_owned(), sources: sources.clone() })
    })
}

/// Returns the value of a literal, none for `null`, and whether the platform can store it exactly.
fn content(literal: &str) -> Option<(Content, bool)> {
    let content = match serde_json::from_str(literal).expect("a literal") {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(value) => Content::Boolean(value),
        serde_json::Value::String(text) => Content::Text(text),
        _ => Content::Number(literal.parse().expect("a number")),
    };
    let is_exact = match (&content, literal.parse::<i128>()) {
        (Content::Number(number), Ok(whole)) => *number as i128 == whole,
        _ => true,
    };
    Some((content, is_exact))
}
