//! Commands of a notification; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::Notice;
use crate::catalogue::notification_channel::Medium;
use crate::ids::{NotificationChannelId, UserId};

/// Commands on a notification.
#[derive(Clone, Debug, PartialEq)]
pub enum NotificationCommand {
    /// Asks for the message.
    RequestNotification {
        /// The channel; absent where a rule names an address.
        channel_id: Option<NotificationChannelId>,
        /// Whom it is to reach, and how.
        medium: Medium,
        /// What it is about.
        notice: Notice,
    },
    /// Takes the next attempt on; one process of many gets it.
    BeginAttempt {
        /// Which, from 1.
        attempt: u32,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Notes that it went out.
    NoteDelivered {
        /// To how many.
        recipients: u32,
    },
    /// Shows it to people on their screens.
    Push {
        /// Who they are.
        recipients: Vec<UserId>,
    },
    /// Notes that an attempt failed.
    NoteRefused {
        /// Which, from 1.
        attempt: u32,
        /// The reason.
        reason: String,
        /// Whether trying again cannot help.
        is_final: bool,
    },
    /// Sends again what was given up.
    ResendNotification {},
}
