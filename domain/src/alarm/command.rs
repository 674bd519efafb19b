//! Commands of an alarm; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::Breach;
use crate::alarming::Suppression;
use crate::ids::{AlarmId, UserId};

/// Commands on an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmCommand {
    /// Raises it.
    RaiseAlarm {
        /// The breached condition.
        breach: Breach,
        /// Why its notifications are currently suppressed, if they are.
        suppression: Option<Suppression>,
    },
    /// Notes that the breach came back within the rule's pause.
    RepeatAlarm {
        /// How often it did.
        repeats: u32,
        /// The value seen.
        value: f64,
        /// When, by the device's clock.
        at: DateTime<Utc>,
    },
    /// Corrects its start by late data.
    AmendAlarmStart {
        /// When the breach began.
        started_at: DateTime<Utc>,
    },
    /// Notes that the condition no longer holds.
    ReturnToNormal {
        /// How often the breach had come back before.
        repeats: u32,
        /// The value seen.
        value: Option<f64>,
        /// When, by the device's clock.
        at: DateTime<Utc>,
    },
    /// Says whether people are to hear of it.
    SuppressAlarm {
        /// Why not; absent where they are.
        suppression: Option<Suppression>,
    },
    /// Another alarm of the same rule and entity stands in its place.
    SupersedeAlarm {
        /// That one.
        by: AlarmId,
    },
    /// Gives it to a person, or to nobody.
    AssignAlarm {
        /// Who cares for it.
        assignee: Option<UserId>,
    },
    /// Adds a comment.
    CommentAlarm {
        /// The comment.
        text: String,
    },
    /// Puts it away for good.
    DismissAlarm {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// A person has seen it.
    AcknowledgeAlarm {
        /// What they said.
        comment: Option<String>,
    },
}
