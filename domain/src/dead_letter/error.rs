//! Errors: why a dead letter rejects a command.

/// Why a dead letter rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The letter was already resubmitted or discarded.
    #[error("the dead letter is already settled")]
    Settled,
    /// The letter names no device or no organisation, or another device than the message, which cannot be attributed.
    #[error("the dead letter names no device or no organisation")]
    NoSender,
    /// The stored payload may lack its end.
    #[error("the payload may be truncated")]
    Cut,
    /// The payload is marked as base64 but does not decode.
    #[error("the payload is not valid base64")]
    Unreadable,
    /// The comment is empty or longer than 1,000 characters.
    #[error("the comment must have 1 to 1,000 characters")]
    InvalidComment,
}
