//! Readings as read back from rows and segments alike, and the merge that decides which of several values of one time
//! and metric counts. Pure.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// Values or qualities by metric key.
pub type JsonObject = Map<String, Value>;

/// The metric keys of each metric set.
pub type MetricSetKeys = HashMap<i32, Vec<String>>;

/// Which metrics the numbers of a reading belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metrics {
    /// The metrics of a metric set.
    Set(i32),
    /// These metrics, which may not be a stored metric set yet.
    Keys(Vec<String>),
}

/// One reading as read back from storage.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReading {
    /// The surrogate key of its device or asset.
    pub entity: i32,
    /// Microseconds since the Unix epoch.
    pub measured_at: i64,
    /// The metrics of `numbers`.
    pub metrics: Metrics,
    /// In the order of the metrics.
    pub numbers: Vec<f64>,
    /// Values that are not numbers.
    pub others: Option<JsonObject>,
    /// Qualities other than good.
    pub flaws: Option<JsonObject>,
    /// Surrogate keys of the devices that the values come from; empty for devices.
    pub sources: Vec<i32>,
    /// Its order of arrival, 0 where that does not matter.
    pub position: i64,
}

/// A value that a later arrival may still replace.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub position: i64,
    pub value: Value,
    pub quality: Option<Value>,
    pub sources: Vec<i32>,
}

/// The values that count so far, by time (microseconds) and metric.
pub type MergedValues = BTreeMap<(i64, String), Candidate>;

impl StoredReading {
    /// Merges the values of this reading into others; for one time and metric the last to arrive counts. With `wanted`,
    /// only that metric.
    pub fn merge_into(self, sets: &MetricSetKeys, wanted: Option<&str>, found: &mut MergedValues) {
        let Self { measured_at, metrics, numbers, others, flaws, sources, position, .. } = self;
        let flaws = flaws.unwrap_or_default();
        let keys = match &metrics {
            Metrics::Set(set) => sets.get(set).map_or(&[][..], Vec::as_slice),
            Metrics::Keys(keys) => keys,
        };
        let numbers = keys.iter().cloned().zip(numbers).map(|(key, number)| (key, Value::from(number)));
        for (key, value) in numbers.chain(others.unwrap_or_default()) {
            if wanted.is_some_and(|wanted| *wanted != key) {
                continue;
            }
            let candidate = Candidate { position, value, quality: flaws.get(&key).cloned(), sources: sources.clone() };
            match found.get_mut(&(measured_at, key.clone())) {
                Some(held) if held.position > position => {}
                Some(held) => *held = candidate,
                None => {
                    found.insert((measured_at, key), candidate);
                }
            }
        }
    }
}
