//! Converts domain events to rows of the audit log. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::decoded_event::DecodedEvent;

/// One domain event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The stream that stores it: `ES`, `ES_ALARM` or `ES_ACTIVITY`.
    pub stream: String,
    /// Its message's position there.
    pub position: i64,
    /// Its index within the message, from 0.
    pub index: i32,
    /// The id of the event.
    pub event_id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The actor: `user:<id>`, `api_key:<id>`, `device:<id>` or `system:<name>`.
    pub actor: String,
    /// The type of the entity, such as `device`.
    pub entity_type: String,
    /// The entity.
    pub entity_id: Uuid,
    /// The entity's version after the event, from 1.
    pub version: i64,
    /// Its name, such as `DeviceRenamed`.
    pub event_type: String,
    /// When it was recorded, by the platform's clock.
    pub recorded_at: DateTime<Utc>,
    /// The command that caused it.
    pub command_id: Uuid,
    /// Shared by everything that one user action caused.
    pub correlation_id: Uuid,
    /// The message that caused it, if any.
    pub causation_id: Option<Uuid>,
    /// The names of the fields in its payload.
    pub changed: Vec<String>,
    /// Its payload.
    pub payload: Value,
}

/// Returns the row of an event.
pub fn row(decoded: &DecodedEvent) -> AuditRow {
    let changed = decoded.payload.as_object().map(|fields| fields.keys().cloned().collect());
    AuditRow {
        stream: decoded.stream.name().to_owned(),
        position: decoded.position,
        index: decoded.index,
        event_id: decoded.event_id,
        organization_id: decoded.organization,
        actor: decoded.actor(),
        entity_type: decoded.aggregate_type.clone(),
        entity_id: decoded.id,
        version: decoded.version,
        event_type: decoded.event_type.clone(),
        recorded_at: decoded.recorded_at(),
        command_id: decoded.metadata.command_id,
        correlation_id: decoded.metadata.correlation_id,
        causation_id: decoded.metadata.causation_id,
        changed: changed.unwrap_or_default(),
        payload: decoded.payload.clone(),
    }
}
