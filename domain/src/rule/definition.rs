//! What a rule says.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarming::{Condition, Severity};
use crate::ids::ActivityTemplateId;
use crate::word_enum::word_enum;

/// Kinds of things that are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A device.
    Device,
    /// An asset.
    #[default]
    Asset,
    /// An asset that is a place.
    Space,
}

/// What follows a breach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RuleAction {
    /// Makes an activity: by this template, or by every template that matches the trigger.
    CreateActivity {
        /// The one template.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template_id: Option<ActivityTemplateId>,
    },
    /// Posts to an address.
    Webhook {
        /// The address, http or https.
        url: String,
    },
    /// Nothing but the alarm.
    None,
}

/// All of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Kind of the watched entities.
    pub entity_type: EntityKind,
    /// The one watched entity; every entity of the kind when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<Uuid>,
    /// The device type or asset type whose entities are watched; those of every type when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_id: Option<Uuid>,
    /// The watched metric; `health_score` is an asset's health.
    pub metric_key: String,
    /// The condition of a breach.
    pub condition: Condition,
    /// The severity.
    pub severity: Severity,
    /// What follows.
    pub action: RuleAction,
    /// Seconds after an alarm in which it raises no other for the entity.
    pub cooldown_seconds: u32,
    /// Whether it is evaluated.
    pub is_active: bool,
}

/// The parts of a rule that change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleRevision {
    /// Another name.
    pub name: Option<String>,
    /// Another description (`Some(None)` removes it).
    pub description: Option<Option<String>>,
    /// Another metric.
    pub metric_key: Option<String>,
    /// Another condition.
    pub condition: Option<Condition>,
    /// Another severity.
    pub severity: Option<Severity>,
    /// Another action.
    pub action: Option<RuleAction>,
    /// Another pause, seconds.
    pub cooldown_seconds: Option<u32>,
    /// Evaluated or not.
    pub is_active: Option<bool>,
}

word_enum!(EntityKind { Device "device", Asset "asset", Space "space" });
