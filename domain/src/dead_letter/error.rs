//! Errors: why a dead letter rejects a command.

/// Why a dead letter rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// It was given again, or discarded, already.
    #[error("it is settled already")]
    Settled,
    /// It names no device and organisation: there is nobody whose message it could be.
    #[error("it is not known whose message it was")]
    NoSender,
    /// Only the beginning of the payload was kept.
    #[error("only the beginning of its payload was kept")]
    Cut,
    /// The payload is marked as base64 and is none.
    #[error("its payload cannot be read")]
    Unreadable,
    /// The comment is empty or longer than 1,000 characters.
    #[error("comment must have 1 to 1,000 characters")]
    InvalidComment,
}
