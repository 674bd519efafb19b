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
    /// Retired.
    #[error("the device type is retired")]
    Retired,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// A metric key is empty, too long, or has other characters than letters, digits, '_', '-' and '.'.
    #[error("metric key {key:?} must have 1 to 64 of letters, digits, '_', '-' and '.'")]
    InvalidMetricKey {
        /// The refused key.
        key: String,
    },
    /// A key occurs twice.
    #[error("metric {key:?} is declared twice")]
    DuplicateMetric {
        /// The duplicate key.
        key: String,
    },
    /// The minimum is above the maximum, or one is not finite.
    #[error("metric {key:?} has a minimum above its maximum, or one that is not finite")]
    InvalidRange {
        /// Whose range.
        key: String,
    },
}
