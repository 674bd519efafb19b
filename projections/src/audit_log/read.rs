//! Questions about who did what.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::AuditRow;
use crate::{Error, Page, Paging, Reader};

/// Which events are wanted; what is absent does not narrow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditFilter {
    /// Of this entity.
    pub entity_id: Option<Uuid>,
    /// Of entities of this type.
    pub entity_type: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// Of this name.
    pub event_type: Option<String>,
    /// Recorded at or after.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub until: Option<DateTime<Utc>>,
}

/// An event with what it changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// The event.
    #[serde(flatten)]
    pub row: AuditRow,
    /// What each of its fields was before, and is after; fields that stayed as they were are left out.
    pub changes: Vec<FieldChange>,
}

/// One changed field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// Its value before; absent where no event told of it.
    pub before: Option<Value>,
    /// Its value after.
    pub after: Value,
}

/// Lists events, the newest first.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &AuditFilter,
    paging: Paging,
) -> Result<Page<AuditRow>, Error> {
    let list = "SELECT * FROM audit_log WHERE organization_id = $1 AND ($2::uuid IS NULL OR entity_id = $2)
            AND ($3::text IS NULL OR entity_type = $3) AND ($4::text IS NULL OR actor = $4)
            AND ($5::text IS NULL OR event_type = $5) AND ($6::timestamptz IS NULL OR recorded_at >= $6)
            AND ($7::timestamptz IS NULL OR recorded_at < $7)";
    let order = "recorded_at DESC, stream, position DESC, index DESC";
    let page = reader.page("audit_log", list, order, paging, |query| {
        query
            .bind(organization)
            .bind(filter.entity_id)
            .bind(filter.entity_type.clone())
            .bind(filter.actor.clone())
            .bind(filter.event_type.clone())
            .bind(filter.from)
            .bind(filter.until)
    });
    page.await
}

/// Returns the history of an entity, the newest first, with what each event changed. Looks at its first 1,000 events.
pub async fn history(
    reader: &Reader,
    organization: Uuid,
    entity: Uuid,
    paging: Paging,
) -> Result<Page<AuditEntry>, Error> {
    let sql = "SELECT to_jsonb(a) FROM audit_log a WHERE organization_id = $1 AND entity_id = $2
               ORDER BY entity_type, version LIMIT 1000";
    let rows = reader.rows("audit_log", sqlx::query_scalar(sql).bind(organization).bind(entity)).await?;
    let mut entries = with_changes(rows);
    let total = entries.len() as i64;
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.row.recorded_at, entry.row.position, entry.row.index)));
    let (offset, limit) = (paging.offset() as usize, paging.limit() as usize);
    Ok(Page { items: entries.into_iter().skip(offset).take(limit).collect(), total })
}

/// Says what each event changed, given all events of an entity in their order.
pub fn with_changes(rows: Vec<AuditRow>) -> Vec<AuditEntry> {
    let mut known: BTreeMap<(String, String), Value> = BTreeMap::new();
    let entry = |row: AuditRow| {
        let mut changes = Vec::new();
        for (field, after) in row.payload.as_object().into_iter().flatten() {
            let before = known.insert((row.entity_type.clone(), field.clone()), after.clone());
            if before.as_ref() != Some(after) {
                changes.push(FieldChange { field: field.clone(), before, after: after.clone() });
            }
        }
        AuditEntry { row, changes }
    };
    rows.into_iter().map(entry).collect()
}
