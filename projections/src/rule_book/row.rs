//! The rows of the rule book.

use chrono::{DateTime, Utc};
use domain::activity_template::ChecklistItem;
use domain::alarming::Condition;
use domain::rule::RuleAction;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// A threshold rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRow {
    /// The rule.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// A free-text description.
    pub description: Option<String>,
    /// `device`, `asset` or `space`.
    pub entity_type: String,
    /// The watched entity; all of the type when absent.
    pub entity_id: Option<Uuid>,
    /// The watched device type or asset type; every type when absent.
    pub type_id: Option<Uuid>,
    /// The watched metric.
    pub metric_key: String,
    /// The condition of a breach.
    pub condition: Condition,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The action on a breach.
    pub action: RuleAction,
    /// Whether it is evaluated.
    pub is_active: bool,
    /// After an alarm, the seconds in which it raises no other.
    pub cooldown_seconds: i64,
    /// Whether it is retired.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// The actor that created it, such as `user:<id>`.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for RuleRow {
    const TABLE: &'static str = "threshold_rules";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// A template of activities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateRow {
    /// The template.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// A free-text description.
    pub description: Option<String>,
    /// The activity type.
    pub activity_type_id: Option<Uuid>,
    /// `THRESHOLD_BREACH`, `DEVICE_OFFLINE` or `MANUAL`.
    pub trigger_event_type: String,
    /// `low`, `medium`, `high` or `critical`.
    pub default_priority: String,
    /// The work role that activities are assigned to.
    pub default_assigned_role: Option<String>,
    /// Hours until an activity is due.
    pub default_due_hours: Option<i64>,
    /// The checklist.
    pub checklist: Vec<ChecklistItem>,
    /// Whether triggers create activities from it.
    pub is_active: bool,
    /// Whether it is retired.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// The actor that created it, such as `user:<id>`.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for TemplateRow {
    const TABLE: &'static str = "activity_templates";

    fn key(&self) -> Uuid {
        self.id
    }
}
