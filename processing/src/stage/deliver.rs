//! Carries out what a batch causes, again and again until it is done: everything here may be repeated without effect.

use std::time::Duration;

use bytes::Bytes;
use commands::{CommandContext, Commands};
use domain::activity::Activity;
use domain::alarm::Alarm;
use domain::ids::OrganizationId;
use domain::metadata::Actor;
use domain::notification::Notification;
use eventlog::{Headers, Publisher, Stream, publisher};
use futures_util::{StreamExt, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

use super::{Command, Effects};
use crate::metric_names;

/// How many aggregates are commanded, and how many subjects published to, at the same time.
const CONCURRENCY: usize = 64;
/// Pauses between attempts grow from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// Attempts after which a command is given up that fails for another reason than an outage.
const MAX_ATTEMPTS: u32 = 10;

/// The effects were not carried out before the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// Gives commands and publishes messages for one stage.
#[derive(Clone)]
pub struct Delivery {
    stage: &'static str,
    publisher: Publisher,
    commands: Commands,
    shutdown: CancellationToken,
}

impl Delivery {
    /// Makes a delivery for a stage that gives up with `shutdown`.
    pub fn new(stage: &'static str, publisher: Publisher, commands: Commands, shutdown: CancellationToken) -> Self {
        Self { stage, publisher, commands, shutdown }
    }

    /// Gives all commands, then publishes all messages: those of one target or subject in order, others side by side.
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
                // Packs are cut far below the limit; one that is too large all the same would stop everything for ever.
                Err(failure @ publisher::Error::TooLarge { .. }) => {
                    error!(stage = self.stage, error = &failure as &dyn std::error::Error, "an output is lost");
                    return Ok(());
                }
                Err(failure) => {
                    warn!(
                        stage = self.stage,
                        error = &failure as &dyn std::error::Error,
                        "an output is published again"
                    );
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
                    error!(stage = self.stage, reason, target = %command.target(), "a command is given up");
                    "given_up"
                }
                Err(Failure::Refused(reason)) => {
                    warn!(stage = self.stage, reason, target = %command.target(), "a command was refused");
                    "refused"
                }
                Err(Failure::Transient(reason) | Failure::Broken(reason)) => {
                    warn!(stage = self.stage, reason, target = %command.target(), "a command is given again");
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

    /// Rests, and answers the next pause; errors when the shutdown came.
    async fn back_off(&self, pause: Duration) -> Result<Duration, Interrupted> {
        metrics::counter!(metric_names::RETRIES, "stage" => self.stage).increment(1);
        self.shutdown.run_until_cancelled(sleep(pause)).await.ok_or(Interrupted)?;
        Ok((pause * 2).min(MAX_PAUSE))
    }
}

/// Why a command was not carried out.
enum Failure {
    Refused(String),
    Transient(String),
    /// Something stored is damaged: one aggregate must not hold up all others for ever.
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

/// Groups commands by target, each group in order.
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
