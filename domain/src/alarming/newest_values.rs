//! What is remembered of the metrics that a rule of several parts asks for.

use serde::{Deserialize, Serialize};

/// The newest values by metric. A rule that compares one value needs none of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewestValues(Vec<Held>);

/// One metric. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    metric: String,
    value: f64,
    measured_at: i64,
    /// The value before and when it was measured.
    before: Option<(f64, i64)>,
    /// When the platform last received the metric, on time or late.
    received_at: i64,
}

impl NewestValues {
    /// Takes a value; tells whether it is newer than the one held. One that is not counts as heard all the same.
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

    /// Returns by how much a metric changed per second between its two newest values.
    pub fn rate(&self, metric: &str) -> Option<f64> {
        let held = self.held(metric)?;
        let (before, measured_at) = held.before?;
        // The newest is always later than the one before.
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
