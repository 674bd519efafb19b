//! One measured value and how good it is.

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

/// Quality with OPC UA's meaning (Part 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Usable.
    #[default]
    Good,
    /// Usable with care (out of the declared range).
    Uncertain,
    /// Not usable.
    Bad,
}
