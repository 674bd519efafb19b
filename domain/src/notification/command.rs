//! Commands of a notification; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::Notice;
use crate::catalogue::notification_channel::Medium;
use crate::ids::{NotificationChannelId, UserId};

/// Commands on a notification.
#[derive(Clone, Debug, PartialEq)]
pub enum NotificationCommand {
    /// Requests the notification.
    RequestNotification {
        /// The channel; absent if a rule names a webhook address itself.
        channel_id: Option<NotificationChannelId>,
        /// Whom it reaches, and how.
        medium: Medium,
        /// The content.
        notice: Notice,
    },
    /// Starts the next attempt. Of several processes that try, only one succeeds.
    BeginAttempt {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Records the delivery.
    NoteDelivered {
        /// Number of recipients.
        recipients: u32,
    },
    /// Delivers it as a push notification in the web console.
    Push {
        /// The users who see it.
        recipients: Vec<UserId>,
    },
    /// Records a failed attempt.
    NoteRefused {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// The reason.
        reason: String,
        /// Whether a retry cannot succeed.
        is_final: bool,
    },
    /// Sends a failed notification again.
    ResendNotification {},
}
