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
    /// Retired.
    #[error("the asset type is retired")]
    Retired,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// A band is inverted, outside its limits, not finite, or without weight.
    #[error("metric {key:?}: limits must enclose the good band, all finite, weight above 0")]
    InvalidBand {
        /// Whose band.
        key: String,
    },
    /// A key occurs twice.
    #[error("metric {key:?} stands twice")]
    DuplicateMetric {
        /// The duplicate key.
        key: String,
    },
    /// A metric key is not one.
    #[error("metric key {key:?} must have 1 to 64 of letters, digits, '_', '-' and '.'")]
    InvalidMetricKey {
        /// The refused key.
        key: String,
    },
    /// A formula cannot be read, or asks for what is computed after it.
    #[error("the formula of {key:?}: {reason}")]
    InvalidFormula {
        /// Whose formula.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// More derived metrics or composites than are computed.
    #[error("a type has at most 50 derived metrics and 50 composites")]
    TooManyComputed,
    /// A bound is 0 or longer than 30 days.
    #[error("staleAfterSeconds and takeoverAfterSeconds must be 1 to 2592000")]
    InvalidBound,
    /// The weight of the assets below is not above 0.
    #[error("the weight of children must be above 0")]
    InvalidWeight,
}
