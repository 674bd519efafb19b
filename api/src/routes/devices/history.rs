//! Shows everything that was ever done to a device, its certificates and its links.

use projections::audit_log::read::{AuditEntry, FieldChange, history};
use projections::{Paging, certificate_register};

use super::view::find;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Something that happened.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct HistoryEvent {
    event_id: Uuid,
    /// `DeviceRenamed`, `CertificateRevoked`, `AssetLinked` …
    event_type: String,
    /// `device`, `certificate` or `device_links`.
    entity_type: String,
    entity_id: Uuid,
    version: i64,
    /// `user:<id>` or `system:<part>`.
    actor: String,
    recorded_at: Time,
    command_id: Uuid,
    /// The same for all that one act led to.
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    payload: Value,
    /// The fields that it changed.
    changes: Vec<Change>,
}

/// A field of an event, as it was told before and is told now.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Change {
    field: String,
    /// Absent where no event told of it before.
    before: Option<Value>,
    after: Value,
}

/// The newest first.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct History {
    device_id: Uuid,
    events: Vec<HistoryEvent>,
    total: i64,
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
            command_id: row.command_id,
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            payload: row.payload,
        }
    }
}

#[OpenApi]
impl Api {
    /// Show the history of a device
    ///
    /// Who did what and when: to the device, its certificates and its links.
    #[oai(path = "/devices/:id/history", method = "get", tag = "Tag::Devices", operation_id = "deviceHistory")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        let part = paging(limit, offset)?;
        find(&state, &caller, id.0).await?;
        let organization = caller.organization.0;
        let certificates = certificate_register::read::of_device(&state.reader, organization, id.0).await?;
        let whole = Paging { limit: i64::MAX, offset: 0 };
        let mut entries = vec![];
        for entity in std::iter::once(id.0).chain(certificates.iter().map(|certificate| certificate.id)) {
            entries.extend(history(&state.reader, organization, entity, whole).await?.items);
        }
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.row.position, entry.row.index)));
        let total = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let skip = usize::try_from(part.offset).unwrap_or_default();
        let take = usize::try_from(part.limit).unwrap_or_default();
        let events = entries.into_iter().skip(skip).take(take).map(HistoryEvent::from).collect();
        Ok(Json(History { device_id: id.0, events, total }))
    }
}
