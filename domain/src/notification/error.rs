//! Errors: why a notification rejects a command.

/// Why a notification rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The notification does not exist.
    #[error("no such notification")]
    NotFound,
    /// Another process started the attempt, or its time has not come.
    #[error("the attempt is not due")]
    NotDue,
    /// Only a failed notification can be sent again.
    #[error("the notification has not failed")]
    NotFailed,
}
