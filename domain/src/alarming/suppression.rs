//! Why nobody is to hear of an alarm.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why an alarm is recorded without telling anybody (ISA-18.2, clause 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// The asset, or one above it, is out of service.
    OutOfService,
    /// A person has put the alarms of this rule and entity aside.
    Shelved {
        /// Until when it lasts.
        until: DateTime<Utc>,
    },
}
