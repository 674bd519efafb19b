//! Metric values and their quality.

use serde::{Deserialize, Serialize};

/// A value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetricValue {
    /// True or false.
    Boolean(bool),
    /// A finite number.
    Number(f64),
    /// Text.
    Text(String),
}

/// Quality of a value, as in OPC UA Part 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Usable.
    #[default]
    Good,
    /// Usable with care: outside the declared range, or a whole number that a 64-bit float had to round.
    Uncertain,
    /// Not usable.
    Bad,
}
