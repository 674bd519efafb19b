//! Events of a notification. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Notice;
use crate::aggregate::domain_event;
use crate::catalogue::notification_channel::Medium;
use crate::ids::{NotificationChannelId, UserId};

/// Events of a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NotificationEvent {
    /// The notification was requested.
    NotificationRequested {
        /// The channel; absent if a rule names a webhook address itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel_id: Option<NotificationChannelId>,
        /// Whom it reaches, and how.
        medium: Medium,
        /// The content.
        notice: Notice,
    },
    /// An attempt started.
    NotificationAttempted {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// When the next attempt may start if no result of this one is recorded.
        retry_at: DateTime<Utc>,
    },
    /// It was delivered.
    NotificationDelivered {
        /// Number of recipients.
        recipients: u32,
    },
    /// It was pushed to users in the web console.
    NotificationPushed {
        /// The users who see it.
        recipients: Vec<UserId>,
        /// The content.
        notice: Notice,
    },
    /// An attempt failed and will be retried.
    NotificationRefused {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// The reason.
        reason: String,
    },
    /// It failed permanently.
    NotificationFailed {
        /// The reason.
        reason: String,
    },
    /// A failed notification is to be sent again.
    NotificationResent {},
}

domain_event!(NotificationEvent { NotificationRequested "1.0", NotificationAttempted "1.0", NotificationDelivered "1.0", NotificationPushed "1.0", NotificationRefused "1.0", NotificationFailed "1.0", NotificationResent "1.0" });
