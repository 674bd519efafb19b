//! The rows of the activity board.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;
use crate::sql_values::nearest_time_or_null;

/// A checklist item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its text.
    pub item: String,
    /// Whether the activity cannot be completed without it.
    pub required: bool,
    /// Whether it is checked.
    pub done: bool,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The author, `user:<id>`.
    pub author: String,
    /// The text.
    pub text: String,
    /// When it was written.
    pub at: DateTime<Utc>,
}

/// An activity: a work order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityRow {
    /// The activity.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The template that it was created from.
    pub template_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// A free-text description.
    pub description: Option<String>,
    /// `device`, `asset` or `space`.
    pub target_type: String,
    /// The target.
    pub target_id: Uuid,
    /// `low`, `medium`, `high` or `critical`.
    pub priority: String,
    /// `pending`, `assigned`, `in_progress`, `done` or `cancelled`.
    pub status: String,
    /// The work role that it is assigned to.
    pub assigned_role: Option<String>,
    /// The user that it is assigned to.
    pub assigned_user_id: Option<Uuid>,
    /// When it is due.
    #[serde(serialize_with = "nearest_time_or_null")]
    pub due_at: Option<DateTime<Utc>>,
    /// Whether it passed its due time before it ended.
    pub overdue: bool,
    /// The checklist.
    pub checklist: Vec<Item>,
    /// The alarm that it was created for.
    pub alarm_id: Option<Uuid>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The actor that created it, such as `user:<id>`.
    pub created_by: String,
    /// When work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was completed or cancelled.
    pub ended_at: Option<DateTime<Utc>>,
    /// The completion note.
    pub note: Option<String>,
    /// Why it was cancelled.
    pub cancelled_reason: Option<String>,
    /// The comments; oldest first.
    pub comments: Vec<Comment>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES_ACTIVITY` of the last change.
    pub position: i64,
}

impl Row for ActivityRow {
    const TABLE: &'static str = "activities";

    fn key(&self) -> Uuid {
        self.id
    }
}
