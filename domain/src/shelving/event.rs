//! What may have happened to a shelving, as facts. Stored for ever: add versions, never change one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::aggregate::domain_event;
use crate::ids::RuleId;

/// Events of a shelving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ShelvingEvent {
    /// The alarms of the rule on the entity are put aside.
    AlarmsShelved {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
        /// Until when.
        until: DateTime<Utc>,
        /// Why, in the words of who did it.
        reason: String,
    },
    /// They are taken up again before their time.
    AlarmsUnshelved {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
    },
}

domain_event!(ShelvingEvent { AlarmsShelved "1.0", AlarmsUnshelved "1.0" });
