//! Errors: why a notification rejects a command.

/// Why a notification rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The notification does not exist.
    #[error("no such notification")]
    NotFound,
    /// Another attempt was begun, or it is not time for one.
    #[error("the attempt is not due")]
    NotDue,
    /// Only what was given up is sent again.
    #[error("the notification was not given up")]
    NotFailed,
}
