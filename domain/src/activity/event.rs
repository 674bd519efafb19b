//! Events of an activity. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::WorkOrder;
use crate::ids::UserId;

use crate::aggregate::domain_event;

/// Events of an activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActivityEvent {
    /// The activity was created.
    ActivityCreated {
        /// The work order.
        order: WorkOrder,
    },
    /// It was assigned.
    ActivityAssigned {
        /// The work role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// The user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
    },
    /// Work started.
    ActivityStarted {},
    /// A checklist item was checked or unchecked.
    ActivityItemChecked {
        /// The item's index, from 0.
        index: usize,
        /// Whether the item is now checked.
        done: bool,
    },
    /// It passed its due time while still open.
    ActivityOverdue {
        /// When it was due.
        due_at: DateTime<Utc>,
    },
    /// The work was completed.
    ActivityCompleted {
        /// What was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The activity was cancelled.
    ActivityCancelled {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// A comment was added.
    ActivityCommented {
        /// The comment.
        text: String,
    },
}

domain_event!(ActivityEvent { ActivityCreated "1.0", ActivityAssigned "1.0", ActivityStarted "1.0", ActivityItemChecked "1.0", ActivityCompleted "1.0", ActivityCancelled "1.0", ActivityCommented "1.0", ActivityOverdue "1.0" });
