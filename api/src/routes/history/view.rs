//! An event of a thing's history as the API shows it.

use projections::time_travel::{AuditEntry, FieldChange};

use crate::prelude::*;

/// Something that happened.
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
    /// `user:<id>`, `api_key:<id>`, `device:<id>` or `system:<part>`.
    actor: String,
    recorded_at: Time,
    /// Its position in the log, of the kind that `X-Log-Position` tells.
    log_position: i64,
    command_id: Uuid,
    /// The same for all that one act led to.
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    payload: Value,
    /// The fields that it changed.
    changes: Vec<Change>,
}

/// A field as it was and as it is.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Change {
    field: String,
    /// Absent where there was none.
    before: Option<Value>,
    /// Null where there is none any more.
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
