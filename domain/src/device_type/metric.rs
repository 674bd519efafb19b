//! What a device type says of its metrics.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// Kinds of values.
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

/// One declared metric.
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
    /// Smallest plausible number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Greatest plausible number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Whether every reading must have it.
    #[serde(default)]
    pub required: bool,
}

/// What happens to metrics that the type does not declare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownMetrics {
    /// They are kept.
    #[default]
    Keep,
    /// The reading is refused.
    Refuse,
}

word_enum!(ValueKind { Number "number", Boolean "boolean", Text "text" });
word_enum!(UnknownMetrics { Keep "keep", Refuse "refuse" });
