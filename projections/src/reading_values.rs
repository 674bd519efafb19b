//! The values of one reading as a JSON object by metric key.

use domain::telemetry::MetricValue;
use serde_json::{Map, Value};

use crate::sql_values::to_json;

/// Returns numbers, which are in the order of `keys`, and other values as one object.
pub fn reading_values(keys: &[String], numbers: &[f64], others: &[(String, MetricValue)]) -> Map<String, Value> {
    let numbers = keys.iter().zip(numbers).map(|(key, number)| (key.clone(), Value::from(*number)));
    numbers.chain(others.iter().map(|(key, value)| (key.clone(), to_json(value)))).collect()
}
