//! What the rule evaluator found. One message of the threshold stream is a JSON array.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Origin;
use crate::alarming::Severity;
use crate::ids::{AlarmId, OrganizationId, RuleId};
use crate::rule::{EntityKind, RuleAction};

/// The transition of the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Transition {
    /// It breached.
    ThresholdBreach,
    /// It no longer holds.
    ReturnToNormal,
    /// A device went offline.
    DeviceOffline,
}

/// One transition of one rule on one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdEvent {
    /// Its id, derived from alarm and transition.
    pub event_id: Uuid,
    /// Where in the input it comes from.
    pub origin: Origin,
    /// Position in `ES` it was decided with.
    pub es_position: u64,
    /// The transition of the condition.
    pub transition: Transition,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The rule (absent for `DEVICE_OFFLINE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<RuleId>,
    /// The rule's name then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<String>,
    /// The alarm (absent for `DEVICE_OFFLINE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_id: Option<AlarmId>,
    /// Kind of the entity.
    pub entity_type: EntityKind,
    /// The entity.
    pub entity_id: Uuid,
    /// The severity.
    pub severity: Severity,
    /// The metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_key: Option<String>,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleAction>,
    /// When, by the device's clock.
    pub measured_at: DateTime<Utc>,
    /// When the reading arrived, by the platform's clock.
    pub received_at: DateTime<Utc>,
}
