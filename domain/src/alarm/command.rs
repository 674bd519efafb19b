//! Commands of an alarm; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::Breach;
use crate::alarming::Suppression;
use crate::ids::{AlarmId, UserId};

/// Commands on an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmCommand {
    /// Raises the alarm.
    RaiseAlarm {
        /// The breached condition.
        breach: Breach,
        /// Why notifications are suppressed, if they are.
        suppression: Option<Suppression>,
    },
    /// Records that the breach recurred within the rule's cooldown; opens the alarm again if it was dismissed.
    RepeatAlarm {
        /// How often it has recurred.
        repeats: u32,
        /// The value at that time.
        value: f64,
        /// When, by the device's clock.
        at: DateTime<Utc>,
        /// Whether a notification is due if this reopens the alarm.
        announce_reopening: bool,
    },
    /// Moves the start of the breach, because late data show when it began.
    AmendAlarmStart {
        /// When the condition began to hold.
        started_at: DateTime<Utc>,
    },
    /// Records that the condition no longer holds.
    ReturnToNormal {
        /// How often the breach had recurred by then; an older count makes the command outdated, and it has no effect.
        repeats: u32,
        /// The value at that time; `None` if the rule was edited or no longer applies.
        value: Option<f64>,
        /// When, by the device's clock.
        at: DateTime<Utc>,
    },
    /// Starts or ends the suppression of notifications.
    SuppressAlarm {
        /// Why notifications are suppressed; `None` to end the suppression.
        suppression: Option<Suppression>,
    },
    /// Closes the alarm because a newer alarm of the same rule and entity replaces it.
    SupersedeAlarm {
        /// The newer alarm.
        by: AlarmId,
    },
    /// Assigns it to a user, or to nobody.
    AssignAlarm {
        /// The user.
        assignee: Option<UserId>,
    },
    /// Adds a comment.
    CommentAlarm {
        /// The comment.
        text: String,
    },
    /// Dismisses it; it stays closed until the breach recurs.
    DismissAlarm {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Acknowledges it.
    AcknowledgeAlarm {
        /// An optional comment.
        comment: Option<String>,
    },
}
