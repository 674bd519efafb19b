//! State of a notification and its decisions.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Error, Notice, NotificationCommand, NotificationEvent};
use crate::aggregate::{Decide, aggregate};
use crate::catalogue::notification_channel::Medium;
use crate::word_enum::word_enum;

/// Seconds to wait after the first failed attempt, after the second, and so on.
const BACK_OFF: [i64; 5] = [10, 60, 300, 1_800, 7_200];
/// Number of attempts after which a notification fails permanently.
pub const MAX_ATTEMPTS: u32 = BACK_OFF.len() as u32 + 1;
/// Maximum stored length of a failure reason, characters; longer ones are truncated.
const MAX_REASON_CHARS: usize = 500;

/// The status of a notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waiting for an attempt.
    #[default]
    Pending,
    /// Delivered to its recipients.
    Delivered,
    /// All attempts failed, or one failed permanently.
    Failed,
}

word_enum!(Stage { Pending "pending", Delivered "delivered", Failed "failed" });

/// The state of a notification, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The recipients' medium and the content; `None` until it is requested.
    pub content: Option<(Medium, Notice)>,
    /// The status.
    pub stage: Stage,
    /// Number of attempts started.
    pub attempts: u32,
    /// When the next attempt may start; immediately when absent.
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
            // A result that arrives after the notification was settled by another attempt has no effect.
            (_, _) if self.stage != Stage::Pending => Ok(vec![]),
            (C::NoteDelivered { recipients }, _) => Ok(vec![NotificationEvent::NotificationDelivered { recipients }]),
            (C::Push { recipients }, Some((_, notice))) => {
                Ok(vec![NotificationEvent::NotificationPushed { recipients, notice: notice.clone() }])
            }
            // A late failure of an earlier attempt must not fail the one in progress.
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
        // The last attempt gets a deadline too: if its process dies, another one can still record the outcome.
        let after = BACK_OFF.get(self.attempts as usize).or(BACK_OFF.last()).copied().unwrap_or_default();
        Ok(vec![NotificationEvent::NotificationAttempted { attempt, retry_at: now + TimeDelta::seconds(after) }])
    }
}
