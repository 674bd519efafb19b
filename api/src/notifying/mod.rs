//! Sends what the outbox holds: posts to addresses, mails to people, shows on their screens. It runs in every process of the
//! API, which alone can read addresses; which process takes an attempt on, the log decides. A process that dies between
//! sending and noting it sends again, under the same id.

mod egress_guard;
mod mail;
mod recipients;
mod webhook;

use std::time::Duration;

use commands::{CommandContext, Error as CommandError};
use domain::catalogue::notification_channel::Medium;
use domain::ids::{OrganizationId, derive};
use domain::notification::{Notification, NotificationCommand};
use futures_util::{StreamExt, stream};
use projections::notification_outbox::{NotificationRow, read};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::error_mapping::chain;
use crate::problem::Problem;
use crate::state::State;

pub use egress_guard::{EgressGuard, NotANetwork};
pub use webhook::WebhookSender;

/// The part of the platform that sends.
const PART: &str = "notification_delivery";
/// Time between looks at what is to be posted or shown.
const PERIOD: Duration = Duration::from_millis(250);
/// Time between looks at mails, which are a minute apart anyway.
const MAIL_PERIOD: Duration = Duration::from_secs(1);
/// Most messages of one look.
const MOST: i64 = 500;
/// How many are posted at the same time.
const AT_ONCE: usize = 16;

/// Why a message did not go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// It may go out later.
    Later(String),
    /// It never will.
    Never(String),
}

/// Sends what is due, until `shutdown`. Mails do not wait for addresses that are slow to answer.
pub async fn run(state: State, shutdown: CancellationToken) -> Result<(), Error> {
    tokio::join!(every(MAIL_PERIOD, &state, &shutdown, mail::all), every(PERIOD, &state, &shutdown, others));
    Ok(())
}

/// Looks at what is due, again and again.
async fn every(
    period: Duration,
    state: &State,
    shutdown: &CancellationToken,
    look: impl AsyncFn(&State) -> Result<(), Problem>,
) {
    let mut period = interval(period);
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while shutdown.run_until_cancelled(period.tick()).await.is_some() {
        if let Some(Err(problem)) = shutdown.run_until_cancelled(look(state)).await {
            tracing::warn!(%problem, "messages could not be sent; it is tried again");
        }
    }
}

async fn others(state: &State) -> Result<(), Problem> {
    let due = read::due(&state.reader, state.now(), MOST).await?;
    stream::iter(due).for_each_concurrent(AT_ONCE, |row| one(state, row)).await;
    Ok(())
}

/// Sends one message that is no mail.
async fn one(state: &State, row: NotificationRow) {
    let Some(attempt) = begin(state, &row).await else { return };
    let outcome = match &row.medium {
        Medium::Webhook { url } => {
            webhook::post(state, &row, url).await.map(|()| NotificationCommand::NoteDelivered { recipients: 1 })
        }
        Medium::Push { work_roles } => recipients::of(state, row.organization_id, work_roles)
            .await
            .map(|people| NotificationCommand::Push { recipients: people.into_iter().map(|(id, _)| id).collect() }),
        Medium::Email { .. } => return,
    };
    note(state, &row, attempt, outcome).await;
}

/// Takes the next attempt on; none where another process has it.
async fn begin(state: &State, row: &NotificationRow) -> Option<u32> {
    let attempt = u32::try_from(row.attempts).unwrap_or(u32::MAX).saturating_add(1);
    // All processes give the same command: the log takes it once, and says so to the others.
    let version = row.version.to_string();
    let command = NotificationCommand::BeginAttempt { attempt, now: state.now() };
    let begun = give(state, row, &["attempt", &version], command).await;
    match begun {
        Ok(is_ours) => is_ours.then_some(attempt),
        Err(error) if error.is_definite() => None,
        Err(error) => {
            tracing::warn!(notification = %row.id, error = chain(&error), "an attempt was not begun");
            None
        }
    }
}

/// Notes what became of an attempt.
async fn note(state: &State, row: &NotificationRow, attempt: u32, outcome: Result<NotificationCommand, Undelivered>) {
    let refused = |reason, is_final| NotificationCommand::NoteRefused { attempt, reason, is_final };
    let command = match outcome {
        Ok(command) => command,
        Err(Undelivered::Later(reason)) => refused(reason, false),
        Err(Undelivered::Never(reason)) => refused(reason, true),
    };
    let version = row.version.to_string();
    if let Err(error) = give(state, row, &["outcome", &version], command).await {
        // It is sent again, under the same id.
        tracing::warn!(notification = %row.id, error = chain(&error), "what became of a message was not stored");
    }
}

/// Gives a command; tells whether it was new.
async fn give(
    state: &State,
    row: &NotificationRow,
    step: &[&str],
    command: NotificationCommand,
) -> Result<bool, CommandError<domain::notification::Error>> {
    let context = CommandContext::system(PART, OrganizationId(row.organization_id), derive(row.id, step));
    let receipt = state.commands.execute::<Notification>(&context, row.id, command).await?;
    Ok(!receipt.repeated)
}
