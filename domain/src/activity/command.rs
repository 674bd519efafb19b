//! Commands of an activity; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::WorkOrder;
use crate::ids::UserId;

/// Commands on an activity.
#[derive(Clone, Debug, PartialEq)]
pub enum ActivityCommand {
    /// Creates the activity.
    CreateActivity {
        /// The work order.
        order: WorkOrder,
    },
    /// Assigns it to a role, a user or both.
    AssignActivity {
        /// The work role.
        role: Option<String>,
        /// The user.
        user_id: Option<UserId>,
    },
    /// Starts the work.
    StartActivity {},
    /// Checks or unchecks a checklist item.
    CheckItem {
        /// The item's index, from 0.
        index: usize,
        /// Whether the item is now checked.
        done: bool,
    },
    /// Records that the activity is overdue; does nothing unless it is past due and still open.
    NoteOverdue {
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Completes the work.
    CompleteActivity {
        /// What was done.
        note: Option<String>,
    },
    /// Cancels the activity.
    CancelActivity {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Adds a comment.
    CommentActivity {
        /// The comment.
        text: String,
    },
}
