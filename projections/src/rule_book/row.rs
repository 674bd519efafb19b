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
    /// Free text for people.
    pub description: Option<String>,
    /// `device`, `asset` or `space`.
    pub entity_type: String,
    /// The one watched entity; more than one when absent.
    pub entity_id: Option<Uuid>,
    /// The device type or asset type that is watched; every type when absent.
    pub type_id: Option<Uuid>,
    /// The watched metric.
    pub metric_key: String,
    /// When it breaches.
    pub condition: Condition,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// What follows.
    pub action: RuleAction,
    /// Whether it is evaluated.
    pub is_active: bool,
    /// Seconds after an alarm in which it raises no other.
    pub cooldown_seconds: i64,
    /// Whether it is gone.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
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
    /// Free text for people.
    pub description: Option<String>,
    /// Kind of activity.
    pub activity_type_id: Option<Uuid>,
    /// `THRESHOLD_BREACH`, `DEVICE_OFFLINE` or `MANUAL`.
    pub trigger_event_type: String,
    /// `low`, `medium`, `high` or `critical`.
    pub default_priority: String,
    /// Work role that gets it.
    pub default_assigned_role: Option<String>,
    /// Hours until it is due.
    pub default_due_hours: Option<i64>,
    /// What to do.
    pub checklist: Vec<ChecklistItem>,
    /// Whether triggers make activities of it.
    pub is_active: bool,
    /// Whether it is used no more.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl Row for TemplateRow {
    const TABLE: &'static str = "activity_templates";

    fn key(&self) -> Uuid {
        self.id
    }
}
