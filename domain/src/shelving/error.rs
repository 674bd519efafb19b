//! Errors: why a shelving rejects a command.

/// Why a shelving rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The end is past, or too far ahead.
    #[error("until must lie ahead, at most 30 days")]
    InvalidUntil,
    /// The reason is empty or longer than 4000 characters.
    #[error("a reason must have 1 to 4000 characters")]
    InvalidReason,
}
