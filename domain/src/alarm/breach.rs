//! The facts of a breach that an alarm records.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarming::{Condition, Severity};
use crate::ids::RuleId;
use crate::rule::EntityKind;

/// The facts of a breach at the time its alarm is raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// The rule.
    pub rule_id: RuleId,
    /// The rule's name at that time.
    pub rule_name: String,
    /// Kind of the entity.
    pub entity_type: EntityKind,
    /// The entity.
    pub entity_id: Uuid,
    /// The metric.
    pub metric_key: String,
    /// The condition at that time.
    pub condition: Box<Condition>,
    /// The severity.
    pub severity: Severity,
    /// The value that raised the alarm.
    pub value: f64,
    /// When the condition began to hold, by the device's clock.
    pub started_at: DateTime<Utc>,
    /// When the condition had held for its full duration, by the device's clock.
    pub raised_at: DateTime<Utc>,
    /// Episode number: counts the breaches of this rule on this entity, from 1.
    pub episode: u64,
}

impl Breach {
    /// Returns whether both have the same rule, entity and episode, from which the alarm id derives.
    pub fn is_same_episode(&self, other: &Breach) -> bool {
        (self.rule_id, self.entity_id, self.episode) == (other.rule_id, other.entity_id, other.episode)
    }
}
