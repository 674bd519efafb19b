//! Errors: why an asset type rejects a command.

/// Why an asset type rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The asset type does not exist.
    #[error("no such asset type")]
    NotFound,
    /// It already exists.
    #[error("the asset type already exists")]
    AlreadyExists,
    /// The asset type is retired.
    #[error("the asset type is retired")]
    Retired,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// A band is not ascending, not finite, or has no positive weight.
    #[error("metric {key:?}: the limits must enclose the good band, all values must be finite and the weight above 0")]
    InvalidBand {
        /// The band's metric.
        key: String,
    },
    /// A key occurs twice.
    #[error("metric {key:?} is defined twice")]
    DuplicateMetric {
        /// The duplicate key.
        key: String,
    },
    /// A metric key is malformed.
    #[error("metric key {key:?} must have 1 to 64 of letters, digits, '_', '-' and '.'")]
    InvalidMetricKey {
        /// The rejected key.
        key: String,
    },
    /// A formula does not parse, or uses a metric that is defined later.
    #[error("invalid formula of {key:?}: {reason}")]
    InvalidFormula {
        /// The metric with the formula.
        key: String,
        /// The cause.
        reason: String,
    },
    /// There are too many derived metrics or composites.
    #[error("a type has at most 50 derived metrics and 50 composites")]
    TooManyComputed,
    /// A duration is 0 or longer than 30 days.
    #[error("staleAfterSeconds and takeoverAfterSeconds must be 1 to 2592000")]
    InvalidBound,
    /// The weight of the children is not above 0.
    #[error("the weight of the children must be above 0")]
    InvalidWeight,
}
