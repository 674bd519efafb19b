//! Errors: why a device type rejects a command.

/// Why a device type rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The device type does not exist.
    #[error("no such device type")]
    NotFound,
    /// It already exists.
    #[error("the device type already exists")]
    AlreadyExists,
    /// The device type is retired.
    #[error("the device type is retired")]
    Retired,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// A metric key is empty, too long or contains characters other than letters, digits, '_', '-' and '.'.
    #[error("metric key {key:?} must have 1 to 64 of letters, digits, '_', '-' and '.'")]
    InvalidMetricKey {
        /// The rejected key.
        key: String,
    },
    /// A key occurs twice.
    #[error("metric {key:?} is declared twice")]
    DuplicateMetric {
        /// The duplicate key.
        key: String,
    },
    /// A minimum is above its maximum, or either is not finite.
    #[error("metric {key:?}: the minimum must not exceed the maximum and both must be finite")]
    InvalidRange {
        /// The metric with the range.
        key: String,
    },
}
