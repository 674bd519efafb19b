//! The newest values of the metrics that a rule uses.

use serde::{Deserialize, Serialize};

/// The newest values by metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewestValues(Vec<Held>);

/// The values of one metric. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    metric: String,
    value: f64,
    measured_at: i64,
    /// The value of the previous time, and that time.
    before: Option<(f64, i64)>,
    /// When the platform last received the metric, whether on time or late.
    received_at: i64,
}

/// What a value is to the values of its metric that were recorded before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Now the newest one. A value of the same time as the newest is a correction and replaces it.
    News,
    /// The newest one again.
    Repetition,
    /// Measured before the newest one.
    Late,
}

impl NewestValues {
    /// Records a value; a late one only updates the time of receipt.
    pub fn record(&mut self, metric: &str, value: f64, measured_at: i64, received_at: i64) -> Arrival {
        let Some(held) = self.0.iter_mut().find(|held| held.metric == metric) else {
            self.0.push(Held { metric: metric.to_owned(), value, measured_at, before: None, received_at });
            return Arrival::News;
        };
        held.received_at = received_at.max(held.received_at);
        if measured_at < held.measured_at {
            return Arrival::Late;
        }
        if measured_at > held.measured_at {
            held.before = Some((held.value, held.measured_at));
        } else if value == held.value {
            return Arrival::Repetition;
        }
        (held.value, held.measured_at) = (value, measured_at);
        Arrival::News
    }

    /// Returns whether no value is recorded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the newest value of a metric.
    pub fn value(&self, metric: &str) -> Option<f64> {
        Some(self.held(metric)?.value)
    }

    /// Returns when the newest value of a metric was measured.
    pub fn measured_at(&self, metric: &str) -> Option<i64> {
        Some(self.held(metric)?.measured_at)
    }

    /// Returns the change per second between the values of a metric's two newest times; none if it is too large for a
    /// number.
    pub fn rate(&self, metric: &str) -> Option<f64> {
        let held = self.held(metric)?;
        let (before, measured_at) = held.before?;
        // `record` keeps the previous value only of an earlier time, so the difference is positive.
        let seconds = (held.measured_at - measured_at) as f64 / 1e6;
        let rate = (held.value - before) / seconds;
        // The difference may exceed the greatest number where the rate does not.
        let rate = if rate.is_finite() { rate } else { (held.value / 2.0 - before / 2.0) / (seconds / 2.0) };
        rate.is_finite().then_some(rate)
    }

    /// Returns when a metric was last received.
    pub fn received_at_of(&self, metric: &str) -> Option<i64> {
        Some(self.held(metric)?.received_at)
    }

    fn held(&self, metric: &str) -> Option<&Held> {
        self.0.iter().find(|held| held.metric == metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_of_change_may_be_a_number_where_the_change_is_none() {
        let rate = |before, value, micros| {
            let mut values = NewestValues::default();
            values.record("t", before, 0, 0);
            values.record("t", value, micros, 0);
            values.rate("t")
        };
        assert_eq!(rate(10.0, 30.0, 10_000_000), Some(2.0));
        assert_eq!(rate(f64::MIN, f64::MAX, 2_000_000), Some(f64::MAX));
        assert_eq!(rate(f64::MIN, f64::MAX, 4_000_000), Some(f64::MAX / 2.0));
        assert_eq!(rate(f64::MAX, f64::MIN, 1), None);
    }
}
