//! Why an asset type refuses a command.

/// Refusals of an asset type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such asset type.
    #[error("no such asset type")]
    NotFound,
    /// Defined before.
    #[error("the asset type exists already")]
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
    /// A key stands twice.
    #[error("metric {key:?} stands twice")]
    DuplicateMetric {
        /// The doubled key.
        key: String,
    },
    /// A metric key is not one.
    #[error("metric key {key:?} must have 1 to 64 of letters, digits, '_', '-' and '.'")]
    InvalidMetricKey {
        /// The refused key.
        key: String,
    },
    /// A formula is empty or longer than 1000 characters.
    #[error("the formula of {key:?} must have 1 to 1000 characters")]
    InvalidFormula {
        /// Whose formula.
        key: String,
    },
}
