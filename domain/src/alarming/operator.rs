//! Comparison operators of rules.

use serde::{Deserialize, Serialize};

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// Above.
    #[serde(rename = ">")]
    Above,
    /// Above or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// Below.
    #[serde(rename = "<")]
    Below,
    /// Below or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// Between both bounds, inclusive.
    #[serde(rename = "between")]
    Between,
    /// Below the lower or above the upper bound.
    #[serde(rename = "outside")]
    Outside,
}

impl Operator {
    /// Compares a value with a lower and an upper bound, which are equal for operators with one bound. `slack` widens
    /// the range in which the comparison holds.
    pub fn compare(self, value: f64, lower: f64, upper: f64, slack: f64) -> bool {
        match self {
            Self::Above => value > lower - slack,
            Self::AtLeast => value >= lower - slack,
            Self::Below => value < lower + slack,
            Self::AtMost => value <= lower + slack,
            Self::Equal => value == lower,
            Self::NotEqual => value != lower,
            Self::Between => value >= lower - slack && value <= upper + slack,
            Self::Outside => value < lower + slack || value > upper - slack,
        }
    }
}
