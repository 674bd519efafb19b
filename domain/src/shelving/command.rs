//! What may be asked of a shelving. What does not live here: the decision.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::RuleId;

/// Commands on a shelving.
#[derive(Clone, Debug, PartialEq)]
pub enum ShelvingCommand {
    /// Puts the alarms aside.
    ShelveAlarms {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
        /// When this is asked.
        now: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
        /// Why, in the words of who did it.
        reason: String,
    },
    /// Takes them up again.
    UnshelveAlarms {
        /// The rule.
        rule_id: RuleId,
        /// The entity.
        entity_id: Uuid,
    },
}
