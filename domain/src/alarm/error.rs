//! Errors: why an alarm rejects a command.

/// Why an alarm rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The alarm does not exist.
    #[error("no such alarm")]
    NotFound,
    /// A different breach already uses this alarm id.
    #[error("the alarm already exists")]
    AlreadyRaised,
    /// The alarm was dismissed or superseded.
    #[error("the alarm is closed")]
    Closed,
    /// The comment is empty or longer than 4000 characters.
    #[error("the comment must have 1 to 4000 characters")]
    InvalidComment,
    /// The reason is empty or longer than 4000 characters.
    #[error("the reason must have 1 to 4000 characters")]
    InvalidReason,
}
