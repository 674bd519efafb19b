//! Events of a shelving. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::aggregate::domain_event;
use crate::ids::RuleId;

/// Events of a shelving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ShelvingEvent {
    /// The rule's alarms on the entity were shelved.
    AlarmsShelved {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
        /// When the shelving ends.
        until: DateTime<Utc>,
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// The shelving was ended early.
    AlarmsUnshelved {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
    },
}

domain_event!(ShelvingEvent { AlarmsShelved "1.0", AlarmsUnshelved "1.0" });
