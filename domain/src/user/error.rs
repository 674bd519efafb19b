//! Errors: why a user rejects a command.

/// Why a user rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The user does not exist.
    #[error("no such user")]
    NotFound,
    /// It already exists.
    #[error("the user already exists")]
    AlreadyExists,
    /// The user is deactivated.
    #[error("the user is deactivated")]
    Deactivated,
    /// The user's personal data was erased.
    #[error("the user was erased")]
    Erased,
    /// A work role is empty or longer than 60 characters.
    #[error("work role {role:?} must have 1 to 60 characters")]
    InvalidWorkRole {
        /// The rejected role.
        role: String,
    },
}
