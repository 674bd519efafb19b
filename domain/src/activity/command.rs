//! What may be asked of an activity. What does not live here: the decision.

use chrono::{DateTime, Utc};

use super::WorkOrder;
use crate::ids::UserId;

/// Commands on an activity.
#[derive(Clone, Debug, PartialEq)]
pub enum ActivityCommand {
    /// Makes the work order.
    CreateActivity {
        /// All of it.
        order: WorkOrder,
    },
    /// Gives it to a role or person.
    AssignActivity {
        /// The work role.
        role: Option<String>,
        /// The person.
        user_id: Option<UserId>,
    },
    /// Work begins.
    StartActivity {},
    /// Ticks a checklist item, or takes the tick back.
    CheckItem {
        /// Which item, from 0.
        index: usize,
        /// Ticked or not.
        done: bool,
    },
    /// Notes that it is overdue, where it is.
    NoteOverdue {
        /// The time.
        now: DateTime<Utc>,
    },
    /// Work is done.
    CompleteActivity {
        /// What was done.
        note: Option<String>,
    },
    /// Work is given up.
    CancelActivity {
        /// Why, in the words of who did it.
        reason: String,
    },
    /// Adds a comment.
    CommentActivity {
        /// The comment.
        text: String,
    },
}
