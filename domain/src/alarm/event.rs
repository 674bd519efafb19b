//! Events of an alarm. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Breach;
use crate::alarming::Suppression;
use crate::ids::{AlarmId, UserId};

use crate::aggregate::domain_event;

/// Events of an alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AlarmEvent {
    /// It was raised.
    AlarmRaised {
        /// The breached condition.
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
    /// The breach came back within the rule's pause.
    AlarmRepeated {
        /// How often it has.
        repeats: u32,
        /// The value seen.
        value: f64,
        /// When, by the device's clock.
        at: DateTime<Utc>,
    },
    /// Nobody is to hear of it at present.
    AlarmSuppressed {
        /// The reason.
        suppression: Suppression,
    },
    /// People are to hear of it again.
    AlarmUnsuppressed {},
    /// Another alarm of the same rule and entity stands in its place.
    AlarmSuperseded {
        /// That one.
        by: AlarmId,
    },
    /// A person cares for it, or nobody any more.
    AlarmAssigned {
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<UserId>,
    },
    /// A comment was added.
    AlarmCommented {
        /// The comment.
        text: String,
    },
    /// It was put away for good.
    AlarmDismissed {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// A person has seen it.
    AlarmAcknowledged {
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
}

domain_event!(AlarmEvent { AlarmRaised "1.0", AlarmStartAmended "1.0", AlarmReturnedToNormal "1.0", AlarmAcknowledged "1.0", AlarmRepeated "1.0", AlarmSuppressed "1.0", AlarmUnsuppressed "1.0", AlarmSuperseded "1.0", AlarmAssigned "1.0", AlarmCommented "1.0", AlarmDismissed "1.0" });
