//! Why an organisation refuses a command.

/// Refusals of an organisation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such organisation.
    #[error("no such organisation")]
    NotFound,
    /// It was founded before.
    #[error("the organisation exists already")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// It is suspended.
    #[error("the organisation is suspended")]
    Suspended,
}
