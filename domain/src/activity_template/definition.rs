//! What a template says.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarming::Severity;
use crate::word_enum::word_enum;

/// What makes an activity of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TriggerEventType {
    /// A rule's breach.
    ThresholdBreach,
    /// A device went offline.
    DeviceOffline,
    /// A person.
    Manual,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistItem {
    /// What to do.
    pub item: String,
    /// Whether the activity needs it to be completed.
    #[serde(default)]
    pub required: bool,
}

/// All of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateDefinition {
    /// Its name.
    pub name: String,
    /// Free text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Kind of activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_type_id: Option<Uuid>,
    /// What makes an activity of it.
    pub trigger_event_type: TriggerEventType,
    /// Priority where no rule's severity gives one.
    pub default_priority: Severity,
    /// Work role that gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_assigned_role: Option<String>,
    /// Hours until it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_due_hours: Option<u32>,
    /// What to do.
    #[serde(default)]
    pub checklist: Vec<ChecklistItem>,
    /// Whether triggers make activities of it.
    pub is_active: bool,
}

word_enum!(TriggerEventType {
    ThresholdBreach "THRESHOLD_BREACH",
    DeviceOffline "DEVICE_OFFLINE",
    Manual "MANUAL",
});
