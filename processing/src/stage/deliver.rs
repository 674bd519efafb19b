//! Delivers the effects of a batch and retries until they are stored. Retrying is safe: commands are idempotent by id,
//! and readers skip repeated messages by their origins.

use std::time::Duration;

use bytes::Bytes;
use commands::{CommandContext, Commands};
use domain::activity::Activity;
use domain::alarm::Alarm;
use domain::ids::OrganizationId;
use domain::metadata::Actor;
use domain::notification::Notification;
use eventlog::{Headers, PublishError, Publisher, Stream, error_chain};
use futures_util::{StreamExt, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

use super::effects::{Command, Effects};
use crate::metric_names;

/// How many aggregates are commanded, and how many subjects are published to, concurrently.
const CONCURRENCY: usize = 64;
/// Pauses between attempts double from the first to the maximum.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// Attempts after which a command is dropped when it fails for a reason other than an outage.
const MAX_ATTEMPTS: u32 = 10;

/// Shutdown came before the effects were delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// Executes commands and publishes messages for one stage.
#[derive(Clone)]
pub struct Delivery {
    stage: &'static str,
    publisher: Publisher,
    commands: Commands,
    shutdown: CancellationToken,
}

impl Delivery {
    /// Creates the delivery of a stage; it stops retrying on `shutdown`.
    pub fn new(stage: &'static str, publisher: Publisher, commands: Commands, shutdown: CancellationToken) -> Self {
        Self { stage, publisher, commands, shutdown }
    }

    /// Executes all commands, then publishes all messages: in order within one target or subject, concurrently
    /// otherwise.
    pub async fn deliver(&self, effects: Effects) -> Result<(), Interrupted> {
        let executed = stream::iter(by_target(effects.commands)).map(|commands| self.execute_all(commands));
        all_done(executed.buffer_unordered(CONCURRENCY).collect().await)?;
        let published = stream::iter(effects.messages);
        let published = published.map(|((stream, tail), payloads)| self.publish_all(stream, tail, payloads));
        all_done(published.buffer_unordered(CONCURRENCY).collect().await)
    }

    async fn publish_all(&self, stream: Stream, tail: String, payloads: Vec<Bytes>) -> Result<(), Interrupted> {
        for payload in payloads {
            self.publish_with_retries(stream, &tail, payload).await?;
        }
        Ok(())
    }

    async fn publish_with_retries(&self, stream: Stream, tail: &str, payload: Bytes) -> Result<(), Interrupted> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.publisher.publish(stream, tail, Headers::new(), payload.clone()).await {
                Ok(_) => {
                    metrics::counter!(metric_names::PUBLISHED, "stage" => self.stage).increment(1);
                    return Ok(());
                }
                // Packs are closed far below the limit. Retrying one that is too large anyway would block the stage
                // forever.
                Err(failure @ PublishError::TooLarge { .. }) => {
                    error!(stage = self.stage, error = error_chain(&failure), "dropping an output that is too large");
                    return Ok(());
                }
                Err(failure) => {
                    warn!(stage = self.stage, error = error_chain(&failure), "publishing failed; retrying");
                    pause = self.back_off(pause).await?;
                }
            }
        }
    }

    async fn execute_all(&self, commands: Vec<Command>) -> Result<(), Interrupted> {
        for command in commands {
            self.execute_with_retries(command).await?;
        }
        Ok(())
    }

    async fn execute_with_retries(&self, command: Command) -> Result<(), Interrupted> {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let outcome = match self.execute(command.clone()).await {
                Ok(()) => "done",
                Err(Failure::Broken(reason)) if attempts >= MAX_ATTEMPTS => {
                    error!(stage = self.stage, reason, target = %command.target(), "dropping a command after repeated failures");
                    "given_up"
                }
                Err(Failure::Refused(reason)) => {
                    warn!(stage = self.stage, reason, target = %command.target(), "a command was rejected");
                    "refused"
                }
                Err(Failure::Transient(reason) | Failure::Broken(reason)) => {
                    warn!(stage = self.stage, reason, target = %command.target(), "a command failed; retrying");
                    pause = self.back_off(pause).await?;
                    continue;
                }
            };
            metrics::counter!(metric_names::COMMANDS, "stage" => self.stage, "outcome" => outcome).increment(1);
            return Ok(());
        }
    }

    async fn execute(&self, command: Command) -> Result<(), Failure> {
        match command {
            Command::Alarm { organization, id, command_id, command } => {
                let context = self.context(organization, command_id, id.0, None);
                self.commands.execute::<Alarm>(&context, id.0, command).await.map(drop).map_err(failure)
            }
            Command::Notification { organization, id, caused_by, command } => {
                let context = self.context(organization, id.0, caused_by, Some(caused_by));
                self.commands.execute::<Notification>(&context, id.0, command).await.map(drop).map_err(failure)
            }
            Command::Activity { organization, id, command_id, caused_by, command } => {
                let context = self.context(organization, command_id, caused_by, Some(caused_by));
                self.commands.execute::<Activity>(&context, id.0, command).await.map(drop).map_err(failure)
            }
        }
    }

    fn context(
        &self,
        organization: OrganizationId,
        command_id: Uuid,
        correlation_id: Uuid,
        causation_id: Option<Uuid>,
    ) -> CommandContext {
        let actor = Actor::System(self.stage.to_owned());
        CommandContext { actor, organization, command_id, correlation_id, causation_id, traceparent: None }
    }

    /// Waits for the pause and returns the next one. Fails on shutdown.
    async fn back_off(&self, pause: Duration) -> Result<Duration, Interrupted> {
        metrics::counter!(metric_names::RETRIES, "stage" => self.stage).increment(1);
        self.shutdown.run_until_cancelled(sleep(pause)).await.ok_or(Interrupted)?;
        Ok((pause * 2).min(MAX_PAUSE))
    }
}

/// Why a command failed.
enum Failure {
    Refused(String),
    Transient(String),
    /// Stored data is damaged. It is retried a limited number of times, so that one aggregate cannot block all others.
    Broken(String),
}

fn failure<E: std::error::Error>(error: commands::Error<E>) -> Failure {
    match &error {
        definite if definite.is_definite() => Failure::Refused(definite.to_string()),
        commands::Error::Internal(cause) => Failure::Broken(format!("{error}: {cause}")),
        other => Failure::Transient(other.to_string()),
    }
}

fn all_done(done: Vec<Result<(), Interrupted>>) -> Result<(), Interrupted> {
    done.into_iter().collect()
}

/// Groups commands by target and keeps the order within each group.
fn by_target(commands: Vec<Command>) -> Vec<Vec<Command>> {
    let mut groups: Vec<Vec<Command>> = Vec::new();
    let mut indices = std::collections::HashMap::new();
    for command in commands {
        let index = *indices.entry(command.target()).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(command);
    }
    groups
}
