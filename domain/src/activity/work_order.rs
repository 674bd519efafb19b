//! Work orders: the content of an activity.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activity_template::ChecklistItem;
use crate::alarming::Severity;
use crate::ids::{ActivityTemplateId, AlarmId, UserId};
use crate::rule::EntityKind;
use crate::word_enum::word_enum;

/// The status of an activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityStatus {
    /// Not assigned to anyone.
    #[default]
    Pending,
    /// Assigned to a role, a user or both.
    Assigned,
    /// Work has started.
    InProgress,
    /// The work is completed.
    Done,
    /// The activity was cancelled.
    Cancelled,
}

word_enum!(ActivityStatus {
    Pending "pending",
    Assigned "assigned",
    InProgress "in_progress",
    Done "done",
    Cancelled "cancelled",
});

/// A work order as created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkOrder {
    /// The template it was created from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_id: Option<ActivityTemplateId>,
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Kind of the target entity.
    pub target_type: EntityKind,
    /// The target entity.
    pub target_id: Uuid,
    /// Priority.
    pub priority: Severity,
    /// The assigned work role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_role: Option<String>,
    /// The assigned user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_user_id: Option<UserId>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The checklist.
    #[serde(default)]
    pub checklist: Vec<ChecklistItem>,
    /// The alarm that triggered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_id: Option<AlarmId>,
}

impl WorkOrder {
    /// Returns the initial status: assigned if a role or a user is set, otherwise pending.
    pub fn first_status(&self) -> ActivityStatus {
        let assigned = self.assigned_role.is_some() || self.assigned_user_id.is_some();
        if assigned { ActivityStatus::Assigned } else { ActivityStatus::Pending }
    }
}
