//! The events of one thing out of the audit log, typed again.

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::ids::OrganizationId;
use domain::metadata::Metadata;
use eventlog::Stream;
use uuid::Uuid;

use crate::audit_log::AuditRow;
use crate::fact::{Fact, Unreadable};
use crate::{Error, Reader};

/// Whose events are meant.
#[derive(Clone, Copy)]
pub struct Of {
    kind: &'static str,
    /// The aggregate, where it is the thing's own.
    entity: Option<Uuid>,
    /// The asset that events of the organisation's tree name.
    asset: Option<Uuid>,
}

impl Of {
    /// All events of an aggregate.
    pub fn entity(kind: &'static str, entity: Uuid) -> Self {
        Self { kind, entity: Some(entity), asset: None }
    }

    /// Those of the tree that place an asset.
    pub fn place(asset: Uuid) -> Self {
        Self { kind: "asset_tree", entity: None, asset: Some(asset) }
    }
}

/// Returns events in their order, those recorded until a time where one is given.
pub async fn facts(
    reader: &Reader,
    organization: Uuid,
    of: Of,
    until: Option<DateTime<Utc>>,
) -> Result<Vec<Fact>, Error> {
    rows(reader, organization, of, until).await?.into_iter().map(fact).collect()
}

async fn rows(
    reader: &Reader,
    organization: Uuid,
    of: Of,
    until: Option<DateTime<Utc>>,
) -> Result<Vec<AuditRow>, Error> {
    let sql = "SELECT to_jsonb(a) FROM audit_log a WHERE organization_id = $1 AND entity_type = $2
            AND ($3::uuid IS NULL OR entity_id = $3) AND ($4::text IS NULL OR payload->>'asset' = $4)
            AND ($5::timestamptz IS NULL OR recorded_at <= $5)
        ORDER BY entity_id, version";
    let query = sqlx::query_scalar(sql)
        .bind(organization)
        .bind(of.kind)
        .bind(of.entity)
        .bind(of.asset.map(|asset| asset.to_string()))
        .bind(until);
    reader.rows("audit_log", query).await
}

fn fact(row: AuditRow) -> Result<Fact, Error> {
    let shape = |error: String| Error::Audit(Unreadable(error));
    let event = AnyEvent::decode(&row.entity_type, &row.event_type, row.payload.clone());
    let metadata = Metadata {
        actor: row.actor.parse().map_err(|error: domain::metadata::NotAnActor| shape(error.to_string()))?,
        organization: OrganizationId(row.organization_id),
        command_id: row.command_id,
        correlation_id: row.correlation_id,
        causation_id: row.causation_id,
        recorded_at: row.recorded_at,
        traceparent: None,
    };
    Ok(Fact {
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
        event: event.map_err(|error| shape(error.to_string()))?,
        metadata,
    })
}
