//! Attempts at delivering one message: taking the next one, and recording its outcome.

use commands::{CommandContext, Error as CommandError};
use domain::ids::{OrganizationId, derive};
use domain::notification::{Notification, NotificationCommand};
use eventlog::error_chain;
use projections::notification_outbox::NotificationRow;

use crate::state::State;

/// The actor of the commands.
const ACTOR: &str = "notification_delivery";

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// A later attempt may succeed.
    Later(String),
    /// No attempt can succeed.
    Never(String),
}

/// Takes the next attempt at a message and returns its number; `None` if another process has taken it.
pub async fn begin_attempt(state: &State, row: &NotificationRow) -> Option<u32> {
    let attempt = u32::try_from(row.attempts).unwrap_or(u32::MAX).saturating_add(1);
    // All processes derive the same command id from the row, so the log stores the first one and reports the others as
    // repeated.
    let version = row.version.to_string();
    let command = NotificationCommand::BeginAttempt { attempt, now: state.now() };
    let begun = execute(state, row, &["attempt", &version], command).await;
    match begun {
        Ok(is_ours) => is_ours.then_some(attempt),
        Err(error) if error.is_definite() => None,
        Err(error) => {
            tracing::warn!(notification = %row.id, error = error_chain(&error), "delivery attempt not begun");
            None
        }
    }
}

/// Records the outcome of an attempt.
pub async fn record_outcome(
    state: &State,
    row: &NotificationRow,
    attempt: u32,
    outcome: Result<NotificationCommand, Undelivered>,
) {
    let refused = |reason, is_final| NotificationCommand::NoteRefused { attempt, reason, is_final };
    let command = match outcome {
        Ok(command) => command,
        Err(Undelivered::Later(reason)) => refused(reason, false),
        Err(Undelivered::Never(reason)) => refused(reason, true),
    };
    let version = row.version.to_string();
    if let Err(error) = execute(state, row, &["outcome", &version], command).await {
        // The next attempt delivers the message again under the same id, by which receivers recognise it.
        tracing::warn!(notification = %row.id, error = error_chain(&error), "outcome of a delivery attempt not stored");
    }
}

/// Executes a command; returns whether it was new rather than a repetition.
async fn execute(
    state: &State,
    row: &NotificationRow,
    step: &[&str],
    command: NotificationCommand,
) -> Result<bool, CommandError<domain::notification::Error>> {
    let context = CommandContext::system(ACTOR, OrganizationId(row.organization_id), derive(row.id, step));
    let receipt = state.commands.execute::<Notification>(&context, row.id, command).await?;
    Ok(!receipt.repeated)
}
