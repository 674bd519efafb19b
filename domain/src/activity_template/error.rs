//! Why an activity template refuses a command.

/// Refusals of an activity template.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such activity template.
    #[error("no such activity template")]
    NotFound,
    /// Defined before.
    #[error("the activity template exists already")]
    AlreadyExists,
    /// Retired.
    #[error("the activity template is retired")]
    Retired,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// A checklist item is empty or longer than 500 characters.
    #[error("checklist item {index} must have 1 to 500 characters")]
    InvalidChecklistItem {
        /// Which item, from 0.
        index: usize,
    },
}
