//! One event of a resource's history in responses.

use projections::time_travel::{AuditEntry, FieldChange};

use crate::prelude::*;

/// One event.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct HistoryEvent {
    event_id: Uuid,
    /// `DeviceRenamed`, `CertificateRevoked`, `AssetLinked` …
    event_type: String,
    /// `device`, `certificate`, `device_links` …
    entity_type: String,
    entity_id: Uuid,
    version: i64,
    /// `user:<id>`, `api_key:<id>`, `device:<id>` or `system:<component>`.
    actor: String,
    recorded_at: Time,
    /// Its position in the log, comparable with `X-Log-Position`.
    log_position: i64,
    command_id: Uuid,
    /// Shared by all events that one request caused.
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    payload: Value,
    /// The fields that the event changed.
    changes: Vec<Change>,
}

/// A field before and after the event.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Change {
    field: String,
    /// Absent if the field was not set before.
    before: Option<Value>,
    /// Null if the field is no longer set.
    after: Value,
}

impl From<AuditEntry> for HistoryEvent {
    fn from(AuditEntry { row, changes }: AuditEntry) -> Self {
        let change = |FieldChange { field, before, after }: FieldChange| Change { field, before, after };
        Self {
            changes: changes.into_iter().map(change).collect(),
            event_id: row.event_id,
            event_type: row.event_type,
            entity_type: row.entity_type,
            entity_id: row.entity_id,
            version: row.version,
            actor: row.actor,
            recorded_at: row.recorded_at.into(),
            log_position: row.position,
            command_id: row.command_id,
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            payload: row.payload,
        }
    }
}
