//! The newest values of the metrics that a rule with several parts or a silence uses.

use serde::{Deserialize, Serialize};

/// The newest values by metric. A rule with a single comparison does not use it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewestValues(Vec<Held>);

/// The values of one metric. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    metric: String,
    value: f64,
    measured_at: i64,
    /// The previous value and when it was measured.
    before: Option<(f64, i64)>,
    /// When the platform last received the metric, whether on time or late.
    received_at: i64,
}

impl NewestValues {
    /// Records a value; returns whether it is newer than the recorded one. An older value still updates the time of
    /// receipt.
    pub fn record(&mut self, metric: &str, value: f64, measured_at: i64, received_at: i64, is_history: bool) -> bool {
        let Some(held) = self.0.iter_mut().find(|held| held.metric == metric) else {
            if !is_history {
                self.0.push(Held { metric: metric.to_owned(), value, measured_at, before: None, received_at });
            }
            return !is_history;
        };
        held.received_at = received_at.max(held.received_at);
        if is_history || measured_at <= held.measured_at {
            return false;
        }
        held.before = Some((held.value, held.measured_at));
        (held.value, held.measured_at) = (value, measured_at);
        true
    }

    /// Returns the newest value of a metric.
    pub fn value(&self, metric: &str) -> Option<f64> {
        Some(self.held(metric)?.value)
    }

    /// Returns the change per second between the two newest values of a metric.
    pub fn rate(&self, metric: &str) -> Option<f64> {
        let held = self.held(metric)?;
        let (before, measured_at) = held.before?;
        // `record` accepts only later values, so the difference is positive.
        Some((held.value - before) / ((held.measured_at - measured_at) as f64 / 1e6))
    }

    /// Returns when a metric was last received.
    pub fn received_at_of(&self, metric: &str) -> Option<i64> {
        Some(self.held(metric)?.received_at)
    }

    fn held(&self, metric: &str) -> Option<&Held> {
        self.0.iter().find(|held| held.metric == metric)
    }
}
