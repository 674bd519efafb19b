//! The definition of a rule.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarming::{Condition, Severity};
use crate::ids::ActivityTemplateId;
use crate::word_enum::word_enum;

/// The kind of an entity that a rule watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A device.
    Device,
    /// An asset.
    #[default]
    Asset,
    /// An asset that is a space, such as a building or a room.
    Space,
}

/// The action on a breach, in addition to the alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RuleAction {
    /// Creates an activity from this template, or from every template with a matching trigger.
    CreateActivity {
        /// The template; all matching ones when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template_id: Option<ActivityTemplateId>,
    },
    /// Sends a webhook.
    Webhook {
        /// The address, http or https.
        url: String,
    },
    /// No action.
    None,
}

/// The full definition of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Kind of the watched entities.
    pub entity_type: EntityKind,
    /// The watched entity; all entities of the kind when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<Uuid>,
    /// The device type or asset type whose entities are watched; all types when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_id: Option<Uuid>,
    /// The watched metric; `health_score` is the health score of an asset.
    pub metric_key: String,
    /// The condition of a breach.
    pub condition: Condition,
    /// The severity.
    pub severity: Severity,
    /// The action on a breach.
    pub action: RuleAction,
    /// Seconds after an alarm within which another breach on the same entity repeats that alarm instead of raising a
    /// new one.
    pub cooldown_seconds: u32,
    /// Whether the rule is evaluated.
    pub is_active: bool,
}

/// Changes to a rule; `None` leaves a part unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleRevision {
    /// The new name.
    pub name: Option<String>,
    /// The new description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// The new metric.
    pub metric_key: Option<String>,
    /// The new condition.
    pub condition: Option<Condition>,
    /// The new severity.
    pub severity: Option<Severity>,
    /// The new action.
    pub action: Option<RuleAction>,
    /// The new cooldown, seconds.
    pub cooldown_seconds: Option<u32>,
    /// Whether the rule is evaluated.
    pub is_active: Option<bool>,
}

word_enum!(EntityKind { Device "device", Asset "asset", Space "space" });
