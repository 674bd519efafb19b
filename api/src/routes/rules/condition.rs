//! A rule's condition, as the API takes and shows it.

use domain::alarming;

use crate::prelude::*;
use crate::words::Operator;

/// When a rule breaches.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct Condition {
    operator: Operator,
    value: f64,
    /// The upper bound of `between` and `outside`.
    #[oai(nullable)]
    upper: Option<f64>,
    /// For how long the condition must hold; 0 means at once.
    #[oai(default)]
    duration_seconds: u32,
}

impl From<Condition> for alarming::Condition {
    fn from(Condition { operator, value, upper, duration_seconds }: Condition) -> Self {
        Self { operator: operator.into(), value, upper, duration_seconds }
    }
}

impl From<alarming::Condition> for Condition {
    fn from(condition: alarming::Condition) -> Self {
        use alarming::Operator as Domain;
        let operator = match condition.operator {
            Domain::Above => Operator::Above,
            Domain::AtLeast => Operator::AtLeast,
            Domain::Below => Operator::Below,
            Domain::AtMost => Operator::AtMost,
            Domain::Equal => Operator::Equal,
            Domain::NotEqual => Operator::NotEqual,
            Domain::Between => Operator::Between,
            Domain::Outside => Operator::Outside,
        };
        let alarming::Condition { value, upper, duration_seconds, .. } = condition;
        Self { operator, value, upper, duration_seconds }
    }
}
