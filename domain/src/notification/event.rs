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
    /// It is to be sent.
    NotificationRequested {
        /// The channel; absent where a rule names an address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel_id: Option<NotificationChannelId>,
        /// Whom it is to reach, and how.
        medium: Medium,
        /// What it is about.
        notice: Notice,
    },
    /// An attempt was begun.
    NotificationAttempted {
        /// Which, from 1.
        attempt: u32,
        /// When the next may begin, should nothing be heard of this one.
        retry_at: DateTime<Utc>,
    },
    /// It went out.
    NotificationDelivered {
        /// To how many.
        recipients: u32,
    },
    /// It is shown to people on their screens.
    NotificationPushed {
        /// Who they are.
        recipients: Vec<UserId>,
        /// What it is about.
        notice: Notice,
    },
    /// An attempt failed; there will be another.
    NotificationRefused {
        /// Which, from 1.
        attempt: u32,
        /// The reason.
        reason: String,
    },
    /// It was given up.
    NotificationFailed {
        /// The reason.
        reason: String,
    },
    /// It is to be sent again.
    NotificationResent {},
}

domain_event!(NotificationEvent { NotificationRequested "1.0", NotificationAttempted "1.0", NotificationDelivered "1.0", NotificationPushed "1.0", NotificationRefused "1.0", NotificationFailed "1.0", NotificationResent "1.0" });
