//! Errors: why an API key rejects a command.

use crate::user::AccessRole;

/// Why an API key rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The key does not exist.
    #[error("no such API key")]
    NotFound,
    /// Made before.
    #[error("the API key already exists")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// It would end before it begins.
    #[error("the key must expire in the future")]
    InvalidExpiry,
    /// It would be allowed more than its maker.
    #[error("the key may not be allowed more than its maker, who is {most}")]
    RoleTooHigh {
        /// The maker's role.
        most: AccessRole,
    },
}
