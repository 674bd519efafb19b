//! Why an activity refuses a command.

use super::ActivityStatus;

/// Refusals of an activity.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such activity.
    #[error("no such activity")]
    NotFound,
    /// Created before.
    #[error("the activity exists already")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// Neither role nor person.
    #[error("a role or a user is needed")]
    NoAssignee,
    /// The checklist has no such item.
    #[error("the checklist has no item {index}")]
    NoSuchItem {
        /// Which item, from 0.
        index: usize,
    },
    /// Required items are not ticked.
    #[error("{open} required checklist items are open")]
    ItemsOpen {
        /// How many.
        open: usize,
    },
    /// Not possible in its status.
    #[error("not possible while the activity is {status}")]
    WrongStatus {
        /// Its status.
        status: ActivityStatus,
    },
    /// The comment is empty or longer than 4000 characters.
    #[error("a comment must have 1 to 4000 characters")]
    InvalidComment,
    /// A checklist item is empty or longer than 500 characters.
    #[error("checklist item {index} must have 1 to 500 characters")]
    InvalidChecklistItem {
        /// Which item, from 0.
        index: usize,
    },
}
