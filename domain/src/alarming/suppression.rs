//! Suppression of alarms.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why an alarm is recorded without notifications (ISA-18.2, clause 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// The asset or one of its ancestors is out of service.
    OutOfService,
    /// A user shelved the alarms of this rule on this entity.
    Shelved {
        /// The end of the shelving.
        until: DateTime<Utc>,
    },
}
