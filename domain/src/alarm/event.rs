//! What may have happened to an alarm, as facts. Stored for ever: add versions, never change one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Breach;

use crate::aggregate::domain_event;

/// Events of an alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AlarmEvent {
    /// It was raised.
    AlarmRaised {
        /// What was breached.
        breach: Breach,
    },
    /// Its start was corrected.
    AlarmStartAmended {
        /// When the breach began.
        started_at: DateTime<Utc>,
    },
    /// The condition no longer holds.
    AlarmReturnedToNormal {
        /// The value seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<f64>,
        /// When, by the device's clock.
        at: DateTime<Utc>,
    },
    /// A person has seen it.
    AlarmAcknowledged {
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
}

domain_event!(AlarmEvent { AlarmRaised "1.0", AlarmStartAmended "1.0", AlarmReturnedToNormal "1.0", AlarmAcknowledged "1.0" });
