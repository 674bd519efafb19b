//! What an activity is made of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activity_template::ChecklistItem;
use crate::alarming::Severity;
use crate::ids::{ActivityTemplateId, AlarmId, UserId};
use crate::rule::EntityKind;
use crate::word_enum::word_enum;

/// Where the work stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityStatus {
    /// Nobody has it.
    #[default]
    Pending,
    /// Somebody has it.
    Assigned,
    /// Work began.
    InProgress,
    /// Done.
    Done,
    /// Given up.
    Cancelled,
}

word_enum!(ActivityStatus {
    Pending "pending",
    Assigned "assigned",
    InProgress "in_progress",
    Done "done",
    Cancelled "cancelled",
});

/// All of a work order as it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkOrder {
    /// The template it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_id: Option<ActivityTemplateId>,
    /// Its name.
    pub name: String,
    /// Free text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Kind of the thing to work on.
    pub target_type: EntityKind,
    /// The thing to work on.
    pub target_id: Uuid,
    /// How urgent.
    pub priority: Severity,
    /// Work role that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_role: Option<String>,
    /// Person who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_user_id: Option<UserId>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// What to do.
    #[serde(default)]
    pub checklist: Vec<ChecklistItem>,
    /// The alarm that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_id: Option<AlarmId>,
}

impl WorkOrder {
    /// Returns the status it begins with: assigned where a role or a person has it, else pending.
    pub fn first_status(&self) -> ActivityStatus {
        let assigned = self.assigned_role.is_some() || self.assigned_user_id.is_some();
        if assigned { ActivityStatus::Assigned } else { ActivityStatus::Pending }
    }
}
