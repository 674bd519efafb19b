//! What may have happened to an activity, as facts. Stored for ever: add versions, never change one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::WorkOrder;
use crate::ids::UserId;

use crate::aggregate::domain_event;

/// Events of an activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActivityEvent {
    /// The work order exists.
    ActivityCreated {
        /// All of it.
        order: WorkOrder,
    },
    /// Somebody has it.
    ActivityAssigned {
        /// The work role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// The person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
    },
    /// Work began.
    ActivityStarted {},
    /// An item was ticked, or its tick taken back.
    ActivityItemChecked {
        /// Which item, from 0.
        index: usize,
        /// Ticked or not.
        done: bool,
    },
    /// It was due and has not ended.
    ActivityOverdue {
        /// When it was due.
        due_at: DateTime<Utc>,
    },
    /// Work is done.
    ActivityCompleted {
        /// What was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Work was given up.
    ActivityCancelled {
        /// Why, in the words of who did it.
        reason: String,
    },
    /// A comment was added.
    ActivityCommented {
        /// The comment.
        text: String,
    },
}

domain_event!(ActivityEvent { ActivityCreated "1.0", ActivityAssigned "1.0", ActivityStarted "1.0", ActivityItemChecked "1.0", ActivityCompleted "1.0", ActivityCancelled "1.0", ActivityCommented "1.0", ActivityOverdue "1.0" });
