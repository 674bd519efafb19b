//! Loads the events of one entity from the audit log and decodes them again.

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::ids::OrganizationId;
use domain::metadata::Metadata;
use eventlog::Stream;
use uuid::Uuid;

use crate::audit_log::AuditRow;
use crate::decoded_event::{DecodedEvent, Unreadable};
use crate::{Error, Reader};

/// Which events to load.
#[derive(Clone, Copy)]
pub struct EventFilter {
    /// The type of the aggregate.
    kind: &'static str,
    /// The aggregate; all of the type when absent.
    entity: Option<Uuid>,
    /// The asset that an event of the asset tree places or detaches; any when absent.
    asset: Option<Uuid>,
}

impl EventFilter {
    /// All events of an aggregate.
    pub fn entity(kind: &'static str, entity: Uuid) -> Self {
        Self { kind, entity: Some(entity), asset: None }
    }

    /// The events of the asset tree that place or detach an asset.
    pub fn tree_place(asset: Uuid) -> Self {
        Self { kind: "asset_tree", entity: None, asset: Some(asset) }
    }
}

/// Returns events in version order; with `until`, only those recorded at or before it.
pub async fn load_events(
    reader: &Reader,
    organization: Uuid,
    filter: EventFilter,
    until: Option<DateTime<Utc>>,
) -> Result<Vec<DecodedEvent>, Error> {
    load_rows(reader, organization, filter, until).await?.into_iter().map(decode_row).collect()
}

async fn load_rows(
    reader: &Reader,
    organization: Uuid,
    filter: EventFilter,
    until: Option<DateTime<Utc>>,
) -> Result<Vec<AuditRow>, Error> {
    let sql = "SELECT to_jsonb(a) FROM audit_log a WHERE organization_id = $1 AND entity_type = $2
            AND ($3::uuid IS NULL OR entity_id = $3) AND ($4::text IS NULL OR payload->>'asset' = $4)
            AND ($5::timestamptz IS NULL OR recorded_at <= $5)
        ORDER BY entity_id, version";
    let query = sqlx::query_scalar(sql)
        .bind(organization)
        .bind(filter.kind)
        .bind(filter.entity)
        .bind(filter.asset.map(|asset| asset.to_string()))
        .bind(until);
    reader.rows("audit_log", query).await
}

fn decode_row(row: AuditRow) -> Result<DecodedEvent, Error> {
    let unreadable = |error: String| Error::Audit(Unreadable(error));
    let event = AnyEvent::decode(&row.entity_type, &row.event_type, row.payload.clone());
    let metadata = Metadata {
        actor: row.actor.parse().map_err(|error: domain::metadata::NotAnActor| unreadable(error.to_string()))?,
        organization: OrganizationId(row.organization_id),
        command_id: row.command_id,
        correlation_id: row.correlation_id,
        causation_id: row.causation_id,
        recorded_at: row.recorded_at,
        traceparent: None,
    };
    Ok(DecodedEvent {
        stream: Stream::for_aggregate(&row.entity_type),
        position: row.position,
        index: row.index,
        organization: row.organization_id,
        id: row.entity_id,
        version: row.version,
        event_id: row.event_id,
        aggregate_type: row.entity_type,
        event_type: row.event_type,
        payload: row.payload,
        event: event.map_err(|error| unreadable(error.to_string()))?,
        metadata,
    })
}
