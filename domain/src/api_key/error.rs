//! Errors: why an API key rejects a command.

use crate::user::AccessRole;

/// Why an API key rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The key does not exist.
    #[error("no such API key")]
    NotFound,
    /// The key already exists.
    #[error("the API key already exists")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The expiry is not in the future.
    #[error("the expiry must be in the future")]
    InvalidExpiry,
    /// The requested role exceeds the creator's.
    #[error("the key's role must not exceed that of its creator, {most}")]
    RoleTooHigh {
        /// The creator's role.
        most: AccessRole,
    },
}
