//! What may be asked of an alarm. What does not live here: the decision.

use chrono::{DateTime, Utc};

use super::Breach;

/// Commands on an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmCommand {
    /// Raises it.
    RaiseAlarm {
        /// What was breached.
        breach: Breach,
    },
    /// Corrects its start by late data.
    AmendAlarmStart {
        /// When the breach began.
        started_at: DateTime<Utc>,
    },
    /// Notes that the condition no longer holds.
    ReturnToNormal {
        /// The value seen.
        value: Option<f64>,
        /// When, by the device's clock.
        at: DateTime<Utc>,
    },
    /// A person has seen it.
    AcknowledgeAlarm {
        /// What they said.
        comment: Option<String>,
    },
}
