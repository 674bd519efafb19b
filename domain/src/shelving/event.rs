//! Events of a shelving. They are stored forever: add new versions, never change an existing one.

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
        /// Until when it lasts.
        until: DateTime<Utc>,
        /// The reason, as entered by whoever acted.
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
