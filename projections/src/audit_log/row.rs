//! Domain events into rows of the audit log. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::fact::Fact;

/// One domain event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The stream that stores it: `ES`, `ES_ALARM` or `ES_ACTIVITY`.
    pub stream: String,
    /// Its message's position there.
    pub position: i64,
    /// Its place in the message, from 0.
    pub index: i32,
    /// Its own id.
    pub event_id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Who: `user:<id>`, `api_key:<id>`, `device:<id>` or `system:<name>`.
    pub actor: String,
    /// Type of what it happened to, such as `device`.
    pub entity_type: String,
    /// What it happened to.
    pub entity_id: Uuid,
    /// The entity's version after it, from 1.
    pub version: i64,
    /// Its name, such as `DeviceRenamed`.
    pub event_type: String,
    /// When, by the platform's clock.
    pub recorded_at: DateTime<Utc>,
    /// The command that made it.
    pub command_id: Uuid,
    /// What belongs to the same act of a user.
    pub correlation_id: Uuid,
    /// What led to it.
    pub causation_id: Option<Uuid>,
    /// Names of what it tells of: the fields of its content.
    pub changed: Vec<String>,
    /// Its content.
    pub payload: Value,
}

/// Returns the row of an event.
pub fn row(fact: &Fact) -> AuditRow {
    let changed = fact.payload.as_object().map(|fields| fields.keys().cloned().collect());
    AuditRow {
        stream: fact.stream.name().to_owned(),
        position: fact.position,
        index: fact.index,
        event_id: fact.event_id,
        organization_id: fact.organization,
        actor: fact.actor(),
        entity_type: fact.aggregate_type.clone(),
        entity_id: fact.id,
        version: fact.version,
        event_type: fact.event_type.clone(),
        recorded_at: fact.at(),
        command_id: fact.metadata.command_id,
        correlation_id: fact.metadata.correlation_id,
        causation_id: fact.metadata.causation_id,
        changed: changed.unwrap_or_default(),
        payload: fact.payload.clone(),
    }
}
