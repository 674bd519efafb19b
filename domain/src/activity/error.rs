//! Errors: why an activity rejects a command.

use super::ActivityStatus;

/// Why an activity rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The activity does not exist.
    #[error("no such activity")]
    NotFound,
    /// The activity already exists.
    #[error("the activity already exists")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// Neither a role nor a user is given.
    #[error("a role or a user is required")]
    NoAssignee,
    /// The checklist has no such item.
    #[error("the checklist has no item {index}")]
    NoSuchItem {
        /// The item's index, from 0.
        index: usize,
    },
    /// Required checklist items are not checked.
    #[error("{open} required checklist items are open")]
    ItemsOpen {
        /// Number of unchecked required items.
        open: usize,
    },
    /// The command is not allowed in the current status.
    #[error("not allowed while the activity is {status}")]
    WrongStatus {
        /// The current status.
        status: ActivityStatus,
    },
    /// The comment is empty or longer than 4000 characters.
    #[error("the comment must have 1 to 4000 characters")]
    InvalidComment,
    /// A checklist item is empty or longer than 500 characters.
    #[error("checklist item {index} must have 1 to 500 characters")]
    InvalidChecklistItem {
        /// The item's index, from 0.
        index: usize,
    },
}
