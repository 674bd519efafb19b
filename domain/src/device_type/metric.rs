//! The metrics that a device type declares.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// The kind of a metric's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// A finite number.
    #[default]
    Number,
    /// True or false.
    Boolean,
    /// Text of at most 1,024 bytes.
    Text,
}

/// A declared metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricDefinition {
    /// Its key: 1 to 64 of letters, digits, `_`, `-`, `.`.
    pub key: String,
    /// Its kind.
    #[serde(default)]
    pub kind: ValueKind,
    /// Its unit, a UCUM code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Lowest plausible value; lower values are kept with uncertain quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Highest plausible value; higher values are kept with uncertain quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Whether every reading must contain it.
    #[serde(default)]
    pub required: bool,
}

/// How metrics that the type does not declare are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownMetrics {
    /// They are kept.
    #[default]
    Keep,
    /// The whole reading is rejected.
    Refuse,
}

word_enum!(ValueKind { Number "number", Boolean "boolean", Text "text" });
word_enum!(UnknownMetrics { Keep "keep", Refuse "refuse" });
