//! The context of a command (actor, organisation, command id) and the receipt of a stored one.

use chrono::{DateTime, Utc};
use domain::ids::{OrganizationId, derive};
use domain::metadata::{Actor, Metadata};
use eventlog::Stream;
use uuid::Uuid;

/// The context in which a command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandContext {
    /// Who acts.
    pub actor: Actor,
    /// The organisation; aggregates of other organisations cannot be reached.
    pub organization: OrganizationId,
    /// The idempotency key: a command id takes effect at most once.
    pub command_id: Uuid,
    /// Groups everything one user action caused, across aggregates.
    pub correlation_id: Uuid,
    /// The event or command that led to this one.
    pub causation_id: Option<Uuid>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

impl CommandContext {
    /// Returns the context of a command issued by a part of the platform; the command id is also the correlation id.
    pub fn system(part: &str, organization: OrganizationId, command_id: Uuid) -> Self {
        Self {
            actor: Actor::System(part.to_owned()),
            organization,
            command_id,
            correlation_id: command_id,
            causation_id: None,
            traceparent: None,
        }
    }

    /// Returns the context of one step of a process. The step's command id derives from the process's command id and
    /// the step's name, so a repeated process repeats the same steps.
    pub fn step(&self, name: &str) -> Self {
        Self { command_id: derive(self.command_id, &[name]), causation_id: Some(self.command_id), ..self.clone() }
    }

    /// Returns the id of something this command creates: derived from organisation and command id.
    pub fn created_id(&self, kind: &str) -> Uuid {
        derive(self.organization.0, &[&self.command_id.to_string(), kind])
    }

    pub(crate) fn within(&self, organization: OrganizationId) -> Self {
        Self { organization, ..self.clone() }
    }

    pub(crate) fn metadata(&self, recorded_at: DateTime<Utc>) -> Metadata {
        Metadata {
            actor: self.actor.clone(),
            organization: self.organization,
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            recorded_at,
            traceparent: self.traceparent.clone(),
        }
    }
}

/// The log position of a command's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The stream.
    pub stream: Stream,
    /// The stream sequence of the command's message; the aggregate's last one if nothing had to change.
    pub position: u64,
    /// The aggregate's version after the command.
    pub version: u64,
    /// Whether an earlier attempt already stored the command.
    pub repeated: bool,
}
