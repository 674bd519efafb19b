//! The definition of an activity template.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarming::Severity;
use crate::word_enum::word_enum;

/// What triggers the creation of an activity from a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TriggerEventType {
    /// A rule's threshold breach.
    ThresholdBreach,
    /// A device went offline.
    DeviceOffline,
    /// A manual request by a user.
    Manual,
}

/// One checklist item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistItem {
    /// The task, 1 to 500 characters.
    pub item: String,
    /// Whether the activity can be completed only when this item is checked.
    #[serde(default)]
    pub required: bool,
}

/// The full definition of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The activity type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_type_id: Option<Uuid>,
    /// What triggers the creation of an activity.
    pub trigger_event_type: TriggerEventType,
    /// Priority of activities that no rule triggered; otherwise the rule's severity applies.
    pub default_priority: Severity,
    /// Work role that activities are assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_assigned_role: Option<String>,
    /// Hours from the trigger until the activity is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_due_hours: Option<u32>,
    /// The checklist.
    #[serde(default)]
    pub checklist: Vec<ChecklistItem>,
    /// Whether triggers create activities from it.
    pub is_active: bool,
}

/// Maximum time until an activity is due: ten years, in hours.
pub const MAX_DUE_HOURS: u32 = 10 * 365 * 24;

impl TemplateDefinition {
    /// Returns when an activity triggered at this time is due. Older logs have templates above the maximum.
    pub fn due_at(&self, triggered_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let hours = self.default_due_hours?.min(MAX_DUE_HOURS);
        triggered_at.checked_add_signed(TimeDelta::hours(hours.into()))
    }
}

word_enum!(TriggerEventType {
    ThresholdBreach "THRESHOLD_BREACH",
    DeviceOffline "DEVICE_OFFLINE",
    Manual "MANUAL",
});
