//! Why a device type refuses a command.

/// Refusals of a device type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such device type.
    #[error("no such device type")]
    NotFound,
    /// Defined before.
    #[error("the device type exists already")]
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
    /// A key stands twice.
    #[error("metric {key:?} is declared twice")]
    DuplicateMetric {
        /// The doubled key.
        key: String,
    },
    /// The minimum is above the maximum, or one is not finite.
    #[error("metric {key:?} has a minimum above its maximum, or one that is not finite")]
    InvalidRange {
        /// Whose range.
        key: String,
    },
}
