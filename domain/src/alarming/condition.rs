//! A rule's condition.

use serde::{Deserialize, Serialize};

use super::Operator;

/// Compares a metric's value and says how long it must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// How to compare.
    pub operator: Operator,
    /// With what; the lower bound of `between` and `outside`.
    pub value: f64,
    /// The upper bound of `between` and `outside`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// How long it must hold, seconds by the device's clock.
    #[serde(default)]
    pub duration_seconds: u32,
}

impl Condition {
    /// Tells whether a value meets the condition, its duration aside.
    pub fn holds(&self, value: f64) -> bool {
        self.operator.compare(value, self.value, self.upper.unwrap_or(self.value))
    }
}
