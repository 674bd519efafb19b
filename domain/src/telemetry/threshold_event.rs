//! Threshold events of the rule evaluator. One message of the threshold stream is a JSON array of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Origin;
use crate::alarming::Severity;
use crate::ids::{AlarmId, OrganizationId, RuleId};
use crate::rule::{EntityKind, RuleAction};

/// A transition of a rule's condition or of a device's presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Transition {
    /// The condition began to hold.
    ThresholdBreach,
    /// The condition no longer holds.
    ReturnToNormal,
    /// A device went offline.
    DeviceOffline,
}

/// One transition on one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdEvent {
    /// Its id, derived from the alarm and the transition.
    pub event_id: Uuid,
    /// Position of its cause in the input stream.
    pub origin: Origin,
    /// Position in the `ES` stream of the rules that it was computed with.
    pub es_position: u64,
    /// The transition.
    pub transition: Transition,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The rule (absent for `DEVICE_OFFLINE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<RuleId>,
    /// The rule's name at that time.
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
    /// Why the device's session ended, as in its presence fact (only for `DEVICE_OFFLINE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The action of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleAction>,
    /// When it happened, by the device's clock.
    pub measured_at: DateTime<Utc>,
    /// When the reading arrived, by the platform's clock.
    pub received_at: DateTime<Utc>,
}
