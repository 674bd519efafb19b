//! The rows of the notification outbox.

use chrono::{DateTime, Utc};
use domain::catalogue::notification_channel::Medium;
use domain::notification::Notice;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// A notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotificationRow {
    /// The notification.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The channel; absent if a rule names an address itself.
    pub channel_id: Option<Uuid>,
    /// How and to whom it is sent.
    pub medium: Medium,
    /// What it is about.
    pub notice: Notice,
    /// `pending`, `delivered` or `failed`.
    pub status: String,
    /// The number of attempts.
    pub attempts: i64,
    /// When the next attempt may begin; absent if there is none.
    pub due_at: Option<DateTime<Utc>>,
    /// The number of recipients reached.
    pub recipients: Option<i64>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES_ACTIVITY` of the last change.
    pub position: i64,
}

impl Row for NotificationRow {
    const TABLE: &'static str = "notifications";

    fn key(&self) -> Uuid {
        self.id
    }
}
