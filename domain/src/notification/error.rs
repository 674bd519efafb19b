//! Why a notification refuses a command.

/// Refusals of a notification.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such notification.
    #[error("no such notification")]
    NotFound,
    /// Another attempt was begun, or it is not time for one.
    #[error("the attempt is not due")]
    NotDue,
    /// Only what was given up is sent again.
    #[error("the notification was not given up")]
    NotFailed,
}
