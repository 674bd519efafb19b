//! Errors: why an activity template rejects a command.

use super::definition::MAX_DUE_HOURS;

/// Why an activity template rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The activity template does not exist.
    #[error("no such activity template")]
    NotFound,
    /// It already exists.
    #[error("the activity template already exists")]
    AlreadyExists,
    /// The activity template is retired.
    #[error("the activity template is retired")]
    Retired,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The time until activities are due is longer than ten years.
    #[error("defaultDueHours must be at most {MAX_DUE_HOURS}")]
    InvalidDueHours,
    /// A checklist item is empty or longer than 500 characters.
    #[error("checklist item {index} must have 1 to 500 characters")]
    InvalidChecklistItem {
        /// The item's index, from 0.
        index: usize,
    },
}
