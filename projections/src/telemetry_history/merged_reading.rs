//! Readings as readers and the compactor meet them, from rows and from segments alike; and which of several values of
//! one time and metric counts. Pure.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// Values or qualities by key.
pub type JsonObject = Map<String, Value>;

/// The keys of metric sets.
pub type MetricSetKeys = HashMap<i32, Vec<String>>;

/// Which metrics the numbers of a reading are of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metrics {
    /// Those of a metric set.
    Set(i32),
    /// These, which need not be a metric set yet.
    Keys(Vec<String>),
}

/// One reading.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReading {
    /// The key of its device or asset.
    pub entity: i32,
    /// Microseconds since the Unix epoch.
    pub measured_at: i64,
    /// What the numbers are of.
    pub metrics: Metrics,
    /// In the order of the metrics.
    pub numbers: Vec<f64>,
    /// Values that are no numbers.
    pub others: Option<JsonObject>,
    /// Qualities that are not good.
    pub flaws: Option<JsonObject>,
    /// Assets only: keys of the devices the values come from.
    pub sources: Vec<i32>,
    /// Its place in the order of arrival, where that matters.
    pub position: i64,
}

/// A value that one that arrived later may still beat.
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
    /// Puts the values of this reading among others, of which the last to arrive counts; only those of one metric where
    /// one is `wanted`.
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
