//! Criteria over the values of an entity, which decide whether a rule's condition holds.

use serde::{Deserialize, Serialize};

use super::{Clock, NewestValues, Operator};
use crate::validation::{self, MAX_DURATION_SECONDS};

/// Maximum number of comparisons and silences in a criterion.
pub const MAX_PARTS: usize = 20;
/// Maximum nesting of `all` and `any`.
pub const MAX_DEPTH: usize = 4;
/// Minimum duration of a silence, seconds. Ticks reach the rule evaluator every 5 s, so shorter silences cannot be
/// measured reliably.
pub const MIN_SILENCE_SECONDS: u32 = 10;

/// A comparison, a silence, or a logical combination of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Criterion {
    /// Holds if all parts hold.
    All {
        /// The parts, at least one.
        all: Vec<Criterion>,
    },
    /// Holds if at least one part holds.
    Any {
        /// The parts, at least one.
        any: Vec<Criterion>,
    },
    /// Holds if a metric is silent.
    Silence(Silence),
    /// Holds if a value compares as specified.
    Compare(Comparison),
}

/// A metric that was received before has not been received for a time, by the platform's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The minimum duration of the silence, seconds.
    pub no_data_seconds: u32,
    /// The metric; the rule's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_key: Option<String>,
}

/// A comparison of a metric's newest value or rate of change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The metric; the rule's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_key: Option<String>,
    /// The operator.
    pub operator: Operator,
    /// The bound; the lower bound of `between` and `outside`.
    pub value: f64,
    /// The upper bound of `between` and `outside`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// How far a value must return beyond the bound before the comparison no longer holds (hysteresis); 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_band: Option<f64>,
    /// Whether to compare the change per second between the two newest values instead of the value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_second: bool,
}

impl Comparison {
    /// Compares the rule's own metric with one bound.
    pub const fn new(operator: Operator, value: f64) -> Self {
        Self { metric_key: None, operator, value, upper: None, dead_band: None, per_second: false }
    }

    /// Returns whether a value (or its change per second) compares as specified. `lasting` means that the comparison
    /// held before, which applies the dead band.
    pub fn holds(&self, value: f64, lasting: bool) -> bool {
        let slack = if lasting { self.dead_band.unwrap_or(0.0) } else { 0.0 };
        self.operator.compare(value, self.value, self.upper.unwrap_or(self.value), slack)
    }

    fn problem(&self) -> Option<&'static str> {
        let two_bounds = matches!(self.operator, Operator::Between | Operator::Outside);
        match self.upper {
            _ if !self.value.is_finite() => Some("value must be a finite number"),
            Some(upper) if !upper.is_finite() => Some("upper must be a finite number"),
            Some(_) if !two_bounds => Some("upper is allowed only with between and outside"),
            None if two_bounds => Some("between and outside require upper"),
            Some(upper) if upper < self.value => Some("upper must not be below value"),
            _ => self.problem_of_dead_band(),
        }
    }

    fn problem_of_dead_band(&self) -> Option<&'static str> {
        let band = self.dead_band?;
        let is_equality = matches!(self.operator, Operator::Equal | Operator::NotEqual);
        // With bounds closer than twice the dead band, a comparison that once held would hold forever.
        let room = self.upper.map(|upper| upper - self.value).filter(|_| self.operator == Operator::Outside);
        match room {
            _ if !band.is_finite() || band < 0.0 => Some("deadBand must be a finite number, 0 or greater"),
            _ if is_equality && band > 0.0 => Some("deadBand is not allowed with == and !="),
            Some(room) if 2.0 * band >= room && band > 0.0 => Some("deadBand must leave room between value and upper"),
            _ => None,
        }
    }
}

/// The inputs of a criterion at one moment.
#[derive(Clone, Copy)]
pub struct Moment<'m> {
    /// The rule's own metric.
    pub metric_key: &'m str,
    /// The newest values of the metrics.
    pub values: &'m NewestValues,
    /// The clock of the stream's ticks.
    pub clock: Clock,
}

impl Criterion {
    /// Returns whether the criterion holds. It does not hold where a value is unknown.
    pub fn holds(&self, moment: Moment<'_>, lasting: bool) -> bool {
        match self {
            Self::All { all } => all.iter().all(|part| part.holds(moment, lasting)),
            Self::Any { any } => any.iter().any(|part| part.holds(moment, lasting)),
            Self::Silence(silence) => {
                let received_at =
                    moment.values.received_at_of(silence.metric_key.as_deref().unwrap_or(moment.metric_key));
                let bound = i64::from(silence.no_data_seconds) * 1_000_000;
                let [now, since] = [moment.clock.now, moment.clock.since].map(|time| time.timestamp_micros());
                received_at.is_some_and(|received_at| now - received_at.max(since) >= bound)
            }
            Self::Compare(comparison) => {
                let metric = comparison.metric_key.as_deref().unwrap_or(moment.metric_key);
                let operand =
                    if comparison.per_second { moment.values.rate(metric) } else { moment.values.value(metric) };
                operand.is_some_and(|value| comparison.holds(value, lasting))
            }
        }
    }

    /// Returns the comparison if the criterion is a single comparison of a value.
    pub fn single(&self) -> Option<&Comparison> {
        match self {
            Self::Compare(comparison) if !comparison.per_second => Some(comparison),
            _ => None,
        }
    }

    /// Returns whether the passage of time alone can make it hold.
    pub fn is_timed(&self) -> bool {
        match self {
            Self::All { all: parts } | Self::Any { any: parts } => parts.iter().any(Self::is_timed),
            Self::Silence(_) => true,
            Self::Compare(_) => false,
        }
    }

    /// Adds the metrics that it uses to `found`; `own` is the rule's own metric.
    pub fn metrics<'c>(&'c self, own: &'c str, found: &mut Vec<&'c str>) {
        let named = match self {
            Self::All { all: parts } | Self::Any { any: parts } => {
                parts.iter().for_each(|part| part.metrics(own, found));
                return;
            }
            Self::Silence(silence) => &silence.metric_key,
            Self::Compare(comparison) => &comparison.metric_key,
        };
        let metric = named.as_deref().unwrap_or(own);
        if !found.contains(&metric) {
            found.push(metric);
        }
    }

    /// Returns the first error in the criterion, if any.
    pub(super) fn problem(&self) -> Option<&'static str> {
        if self.parts() > MAX_PARTS {
            return Some("a condition has at most 20 parts");
        }
        self.problem_at(1)
    }

    fn parts(&self) -> usize {
        match self {
            Self::All { all: parts } | Self::Any { any: parts } => parts.iter().map(Self::parts).sum(),
            Self::Silence(_) | Self::Compare(_) => 1,
        }
    }

    fn problem_at(&self, depth: usize) -> Option<&'static str> {
        let (named, problem) = match self {
            Self::All { all: parts } | Self::Any { any: parts } => {
                return match parts.as_slice() {
                    [] => Some("all and any require at least one part"),
                    _ if depth > MAX_DEPTH => Some("all and any may be nested at most 4 levels deep"),
                    parts => parts.iter().find_map(|part| part.problem_at(depth + 1)),
                };
            }
            Self::Silence(silence) => {
                let in_range = (MIN_SILENCE_SECONDS..=MAX_DURATION_SECONDS).contains(&silence.no_data_seconds);
                (&silence.metric_key, (!in_range).then_some("noDataSeconds must be 10 to 2592000"))
            }
            Self::Compare(comparison) => (&comparison.metric_key, comparison.problem()),
        };
        let is_key = named.as_deref().is_none_or(validation::is_metric_key);
        if is_key { problem } else { Some("metricKey must have 1 to 64 of letters, digits, '_', '-' and '.'") }
    }
}
