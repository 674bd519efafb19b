//! The values of one reading, and their qualities, as JSON objects by metric key.

use domain::telemetry::{AssetReading, MetricSets, MetricValue, Quality, Reading};
use serde_json::{Map, Value};

use crate::sql_values::to_json;

/// Returns the values of a device's reading.
pub fn device_values(reading: &Reading, sets: &MetricSets) -> Map<String, Value> {
    values(sets.keys(reading.set), &reading.numbers, &reading.others)
}

/// Returns the values of an asset's reading; null for metrics that cannot be computed any more.
pub fn asset_values(reading: &AssetReading, sets: &MetricSets) -> Map<String, Value> {
    let mut values = values(sets.keys(reading.set), &reading.numbers, &reading.others);
    values.extend(reading.flaws.iter().map(|(key, _)| (key.clone(), Value::Null)));
    values
}

/// Returns the qualities that are not good.
pub fn qualities(flaws: &[(String, Quality)]) -> Map<String, Value> {
    flaws.iter().map(|(key, quality)| (key.clone(), to_json(quality))).collect()
}

/// Returns numbers, which are in the order of `keys`, and other values as one object.
fn values(keys: &[String], numbers: &[f64], others: &[(String, MetricValue)]) -> Map<String, Value> {
    let numbers = keys.iter().zip(numbers).map(|(key, number)| (key.clone(), Value::from(*number)));
    numbers.chain(others.iter().map(|(key, value)| (key.clone(), to_json(value)))).collect()
}
