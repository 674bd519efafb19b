//! Commands of a shelving; `aggregate` decides on them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::RuleId;

/// Commands on a shelving.
#[derive(Clone, Debug, PartialEq)]
pub enum ShelvingCommand {
    /// Shelves the alarms, or changes the end of the shelving.
    ShelveAlarms {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
        /// The current time.
        now: DateTime<Utc>,
        /// When the shelving ends.
        until: DateTime<Utc>,
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Ends the shelving early.
    UnshelveAlarms {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
    },
}
