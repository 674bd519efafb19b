//! Commands of a shelving; `aggregate` decides on them.

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
        /// Until when it lasts.
        until: DateTime<Utc>,
        /// The reason, as entered by whoever acted.
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
