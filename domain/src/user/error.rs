//! Why a user refuses a command.

/// Refusals of a user.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such user.
    #[error("no such user")]
    NotFound,
    /// Registered before.
    #[error("the user exists already")]
    AlreadyExists,
    /// Access has ended.
    #[error("the user is deactivated")]
    Deactivated,
    /// Erased for good.
    #[error("the user was erased")]
    Erased,
    /// A work role is empty or longer than 60 characters.
    #[error("work role {role:?} must have 1 to 60 characters")]
    InvalidWorkRole {
        /// The refused role.
        role: String,
    },
}
