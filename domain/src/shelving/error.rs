//! Errors: why a shelving rejects a command.

/// Why a shelving rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The end is in the past or more than 30 days ahead.
    #[error("until must be in the future, at most 30 days ahead")]
    InvalidUntil,
    /// The reason is empty or longer than 4000 characters.
    #[error("the reason must have 1 to 4000 characters")]
    InvalidReason,
}
