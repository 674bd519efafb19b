//! The breached condition.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarming::{Condition, Severity};
use crate::ids::RuleId;
use crate::rule::EntityKind;

/// The facts of a breach when its alarm is raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// The rule.
    pub rule_id: RuleId,
    /// Its name then.
    pub rule_name: String,
    /// Kind of the entity.
    pub entity_type: EntityKind,
    /// The entity.
    pub entity_id: Uuid,
    /// The metric.
    pub metric_key: String,
    /// The condition then.
    pub condition: Box<Condition>,
    /// The severity.
    pub severity: Severity,
    /// The value that raised it.
    pub value: f64,
    /// When the breach began, by the device's clock.
    pub started_at: DateTime<Utc>,
    /// When it had lasted long enough, by the device's clock.
    pub raised_at: DateTime<Utc>,
    /// Episode number: counts the breaches of this rule on this entity, from 1.
    pub episode: u64,
}

impl Breach {
    /// Tells whether both are the same breach: rule, entity and episode, which make the alarm's id.
    pub fn is_same_episode(&self, other: &Breach) -> bool {
        (self.rule_id, self.entity_id, self.episode) == (other.rule_id, other.entity_id, other.episode)
    }
}
