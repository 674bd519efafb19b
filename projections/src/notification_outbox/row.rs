//! The rows of the outbox.

use chrono::{DateTime, Utc};
use domain::catalogue::notification_channel::Medium;
use domain::notification::Notice;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotificationRow {
    /// The notification.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The channel; absent where a rule names an address.
    pub channel_id: Option<Uuid>,
    /// Whom it is to reach, and how.
    pub medium: Medium,
    /// What it is about.
    pub notice: Notice,
    /// `pending`, `delivered` or `failed`.
    pub status: String,
    /// Attempts begun.
    pub attempts: i64,
    /// When the next attempt may begin; absent where there is none.
    pub due_at: Option<DateTime<Utc>>,
    /// How many it reached.
    pub recipients: Option<i64>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES_ACTIVITY` of the last change.
    pub position: i64,
}

impl Row for NotificationRow {
    const TABLE: &'static str = "notifications";

    fn key(&self) -> Uuid {
        self.id
    }
}
