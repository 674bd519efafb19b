//! State of a notification and its decisions.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Error, Notice, NotificationCommand, NotificationEvent};
use crate::aggregate::{Decide, aggregate};
use crate::catalogue::notification_channel::Medium;
use crate::word_enum::word_enum;

/// Seconds until the next attempt, after the first, the second, and so on.
const BACK_OFF: [i64; 5] = [10, 60, 300, 1_800, 7_200];
/// Attempts after which a notification is given up.
pub const MAX_ATTEMPTS: u32 = BACK_OFF.len() as u32 + 1;
/// Most characters of a reason that is kept.
const MAX_REASON_CHARS: usize = 500;

/// Where a notification stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is to be sent.
    #[default]
    Pending,
    /// It went out.
    Delivered,
    /// It was given up.
    Failed,
}

word_enum!(Stage { Pending "pending", Delivered "delivered", Failed "failed" });

/// The state of a notification, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Whom it is to reach and what it is about; absent until it is asked for.
    pub content: Option<(Medium, Notice)>,
    /// Where it stands.
    pub stage: Stage,
    /// Attempts begun.
    pub attempts: u32,
    /// When the next may begin; at once when absent.
    pub retry_at: Option<DateTime<Utc>>,
}

impl Decide for Notification {
    type Command = NotificationCommand;
    type Event = NotificationEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use NotificationCommand as C;
        match (command, &self.content) {
            (C::RequestNotification { channel_id, medium, notice }, None) => {
                Ok(vec![NotificationEvent::NotificationRequested { channel_id, medium, notice }])
            }
            (C::RequestNotification { .. }, Some(_)) => Ok(vec![]),
            (_, None) => Err(Error::NotFound),
            (C::ResendNotification {}, _) if self.stage == Stage::Failed => {
                Ok(vec![NotificationEvent::NotificationResent {}])
            }
            (C::ResendNotification {}, _) => Err(Error::NotFailed),
            (C::BeginAttempt { attempt, now }, _) => self.begin(attempt, now),
            // What comes late of an attempt that another one has overtaken changes nothing.
            (_, _) if self.stage != Stage::Pending => Ok(vec![]),
            (C::NoteDelivered { recipients }, _) => Ok(vec![NotificationEvent::NotificationDelivered { recipients }]),
            (C::Push { recipients }, Some((_, notice))) => {
                Ok(vec![NotificationEvent::NotificationPushed { recipients, notice: notice.clone() }])
            }
            (C::NoteRefused { attempt, .. }, _) if attempt != self.attempts => Ok(vec![]),
            (C::NoteRefused { attempt, reason, is_final }, _) => {
                let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
                Ok(vec![if is_final || attempt >= MAX_ATTEMPTS {
                    NotificationEvent::NotificationFailed { reason }
                } else {
                    NotificationEvent::NotificationRefused { attempt, reason }
                }])
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            NotificationEvent::NotificationRequested { medium, notice, .. } => self.content = Some((medium, notice)),
            NotificationEvent::NotificationAttempted { attempt, retry_at } => {
                (self.attempts, self.retry_at) = (attempt, Some(retry_at));
            }
            NotificationEvent::NotificationDelivered { .. } | NotificationEvent::NotificationPushed { .. } => {
                self.stage = Stage::Delivered;
            }
            NotificationEvent::NotificationRefused { .. } => {}
            NotificationEvent::NotificationFailed { .. } => self.stage = Stage::Failed,
            NotificationEvent::NotificationResent {} => {
                (self.stage, self.attempts, self.retry_at) = (Stage::Pending, 0, None);
            }
        }
    }
}

aggregate!(Notification, "notification");

impl Notification {
    fn begin(&self, attempt: u32, now: DateTime<Utc>) -> Result<Vec<NotificationEvent>, Error> {
        let is_due = self.retry_at.is_none_or(|retry_at| retry_at <= now);
        if self.stage != Stage::Pending || attempt != self.attempts + 1 || !is_due {
            return Err(Error::NotDue);
        }
        // Should the process die with the last attempt, somebody may still note what became of it.
        let after = BACK_OFF.get(self.attempts as usize).or(BACK_OFF.last()).copied().unwrap_or_default();
        Ok(vec![NotificationEvent::NotificationAttempted { attempt, retry_at: now + TimeDelta::seconds(after) }])
    }
}
