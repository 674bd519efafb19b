//! Queries of system events.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::SystemEventRow;
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// Filters a list of events; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemEventFilter {
    /// `THRESHOLD_BREACH`, `DEVICE_OFFLINE`, `CONNECTION_REFUSED`, …
    pub event_type: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Option<String>,
    /// About this entity.
    pub entity_id: Option<Uuid>,
    /// Occurred at or after.
    pub from: Option<DateTime<Utc>>,
    /// Occurred before.
    pub until: Option<DateTime<Utc>>,
}

/// Lists events of an organisation; newest first; with `unassigned`, also those without an organisation.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    unassigned: bool,
    filter: &SystemEventFilter,
    paging: Paging,
) -> Result<Page<SystemEventRow>, Error> {
    let list = "SELECT * FROM system_events WHERE (organization_id = $1 OR ($2 AND organization_id IS NULL))
            AND ($3::text IS NULL OR event_type = $3) AND ($4::text IS NULL OR severity = $4)
            AND ($5::uuid IS NULL OR entity_id = $5) AND ($6::timestamptz IS NULL OR occurred_at >= $6)
            AND ($7::timestamptz IS NULL OR occurred_at < $7)";
    let page = reader.page("system_events", list, Order::newest("occurred_at"), paging, |query| {
        query
            .bind(organization)
            .bind(unassigned)
            .bind(filter.event_type.clone())
            .bind(filter.severity.clone())
            .bind(filter.entity_id)
            .bind(filter.from)
            .bind(filter.until)
    });
    page.await
}

/// Returns an event of an organisation.
pub async fn get(reader: &Reader, organization: Uuid, event: Uuid) -> Result<Option<SystemEventRow>, Error> {
    let sql = "SELECT to_jsonb(e) FROM system_events e WHERE organization_id = $1 AND id = $2";
    reader.row("system_events", sqlx::query_scalar(sql).bind(organization).bind(event)).await
}
