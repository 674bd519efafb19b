//! Delivers the messages of the notification outbox: webhooks, e-mails, and notifications on users' screens. The log
//! decides which process takes an attempt; a process that dies between sending and recording the outcome leads to a
//! second delivery under the same id.

mod attempt;
mod egress_guard;
mod email;
mod recipients;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use domain::catalogue::notification_channel::Medium;
use domain::notification::NotificationCommand;
use futures_util::{StreamExt, stream};
use projections::notification_outbox::{NotificationRow, read};

use self::attempt::{begin_attempt, record_outcome};
use super::job::Job;
use crate::problem::Problem;
use crate::state::State;

pub use egress_guard::{EgressGuard, NotANetwork};
pub use email::EmailDelivery;
pub use webhook::WebhookSender;

/// Most messages of one run.
const BATCH: i64 = 500;
/// Most messages delivered at the same time.
const CONCURRENCY: usize = 16;

/// Delivers webhooks and notifications on screens. E-mail is a job of its own, so that it does not wait for webhook
/// receivers that are slow to answer.
pub struct ImmediateDelivery {
    /// Sends webhooks.
    pub webhooks: Arc<WebhookSender>,
}

impl Job for ImmediateDelivery {
    const NAME: &'static str = "notification_delivery";
    const PERIOD: Duration = Duration::from_millis(250);
    type Error = Problem;

    async fn run(&self, state: &State) -> Result<(), Problem> {
        let due = read::due(&state.reader, state.now(), BATCH).await?;
        stream::iter(due).for_each_concurrent(CONCURRENCY, |row| self.deliver(state, row)).await;
        Ok(())
    }
}

impl ImmediateDelivery {
    async fn deliver(&self, state: &State, row: NotificationRow) {
        let Some(attempt) = begin_attempt(state, &row).await else { return };
        let outcome = match &row.medium {
            Medium::Webhook { url } => webhook::post(state, &self.webhooks, &row, url)
                .await
                .map(|()| NotificationCommand::NoteDelivered { recipients: 1 }),
            Medium::Push { work_roles } => recipients::with_work_roles(state, row.organization_id, work_roles)
                .await
                .map(|people| NotificationCommand::Push { recipients: people.into_iter().map(|(id, _)| id).collect() }),
            Medium::Email { .. } => return,
        };
        record_outcome(state, &row, attempt, outcome).await;
    }
}
