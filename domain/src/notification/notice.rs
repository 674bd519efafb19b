//! The content of a notification.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarming::Severity;
use crate::ids::{AlarmId, RuleId};
use crate::rule::EntityKind;
use crate::telemetry::{ThresholdEvent, Transition};

/// A transition of a rule's condition on an entity, or of a device's presence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The transition.
    pub transition: Transition,
    /// The alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_id: Option<AlarmId>,
    /// The rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<RuleId>,
    /// The rule's name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<String>,
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
    /// When it happened, by the device's clock.
    pub measured_at: DateTime<Utc>,
}

impl From<&ThresholdEvent> for Notice {
    fn from(event: &ThresholdEvent) -> Self {
        Self {
            transition: event.transition,
            alarm_id: event.alarm_id,
            rule_id: event.rule_id,
            rule_name: event.rule_name.clone(),
            entity_type: event.entity_type,
            entity_id: event.entity_id,
            severity: event.severity,
            metric_key: event.metric_key.clone(),
            value: event.value,
            measured_at: event.measured_at,
        }
    }
}
