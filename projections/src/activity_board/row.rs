//! The rows of the activity board.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What to do.
    pub item: String,
    /// Whether the activity needs it to be completed.
    pub required: bool,
    /// Whether it is ticked.
    pub done: bool,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Who, `user:<id>`.
    pub author: String,
    /// What.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A work order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityRow {
    /// The activity.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The template it was made of.
    pub template_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// Free text for people.
    pub description: Option<String>,
    /// `device`, `asset` or `space`.
    pub target_type: String,
    /// The thing to work on.
    pub target_id: Uuid,
    /// `low`, `medium`, `high` or `critical`.
    pub priority: String,
    /// `pending`, `assigned`, `in_progress`, `done` or `cancelled`.
    pub status: String,
    /// Work role that has it.
    pub assigned_role: Option<String>,
    /// Person who has it.
    pub assigned_user_id: Option<Uuid>,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// Whether it was due and had not ended.
    pub overdue: bool,
    /// What to do.
    pub checklist: Vec<Item>,
    /// The alarm that caused it.
    pub alarm_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
    /// When work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was completed or given up.
    pub ended_at: Option<DateTime<Utc>>,
    /// What was done.
    pub note: Option<String>,
    /// Why it was given up.
    pub cancelled_reason: Option<String>,
    /// What people said, the oldest first.
    pub comments: Vec<Comment>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES_ACTIVITY` of the last change.
    pub position: i64,
}

impl Row for ActivityRow {
    const TABLE: &'static str = "activities";

    fn key(&self) -> Uuid {
        self.id
    }
}
