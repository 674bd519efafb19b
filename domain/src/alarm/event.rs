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
    /// The alarm was raised.
    AlarmRaised {
        /// The breached condition.
        breach: Breach,
    },
    /// The start of the breach was corrected.
    AlarmStartAmended {
        /// When the condition began to hold.
        started_at: DateTime<Utc>,
    },
    /// The condition no longer holds.
    AlarmReturnedToNormal {
        /// The value at that time; `None` if the rule was edited or no longer applies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<f64>,
        /// When, by the device's clock.
        at: DateTime<Utc>,
        /// The breach, if its recurrence opened the alarm again and was notified, so that its end is notified too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reopened: Option<Breach>,
    },
    /// The breach recurred within the rule's cooldown.
    AlarmRepeated {
        /// How often it has recurred.
        repeats: u32,
        /// The value at that time.
        value: f64,
        /// When, by the device's clock.
        at: DateTime<Utc>,
    },
    /// Notifications are suppressed.
    AlarmSuppressed {
        /// The reason.
        suppression: Suppression,
    },
    /// Notifications are no longer suppressed.
    AlarmUnsuppressed {},
    /// A newer alarm of the same rule and entity replaced it.
    AlarmSuperseded {
        /// The newer alarm.
        by: AlarmId,
    },
    /// It was assigned to a user, or the assignment was removed.
    AlarmAssigned {
        /// The user; `None` if nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<UserId>,
    },
    /// A comment was added.
    AlarmCommented {
        /// The comment.
        text: String,
    },
    /// It was dismissed.
    AlarmDismissed {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// The breach recurred after the alarm had been dismissed: it is open and unacknowledged again.
    AlarmReopened {
        /// The breach, as the alarm records it.
        breach: Breach,
        /// The value of the recurrence.
        value: f64,
        /// When it recurred, by the device's clock.
        at: DateTime<Utc>,
        /// Whether a notification is due.
        announce: bool,
    },
    /// A user acknowledged it.
    AlarmAcknowledged {
        /// An optional comment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
}

domain_event!(AlarmEvent { AlarmRaised "1.0", AlarmStartAmended "1.0", AlarmReturnedToNormal "1.0", AlarmAcknowledged "1.0", AlarmRepeated "1.0", AlarmSuppressed "1.0", AlarmUnsuppressed "1.0", AlarmSuperseded "1.0", AlarmAssigned "1.0", AlarmCommented "1.0", AlarmDismissed "1.0", AlarmReopened "1.0" });
