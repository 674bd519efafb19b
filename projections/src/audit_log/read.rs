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

/// Where a part of the list ended: an event's place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The stream that stores it.
    pub stream: String,
    /// Its message's position there.
    pub position: i64,
    /// Its place in the message.
    pub index: i32,
}

impl From<&AuditRow> for Cursor {
    fn from(row: &AuditRow) -> Self {
        let AuditRow { recorded_at, stream, position, index, .. } = row;
        Self { recorded_at: *recorded_at, stream: stream.clone(), position: *position, index: *index }
    }
}

/// Lists events, the newest first, from after a cursor on.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &AuditFilter,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<AuditRow>, Error> {
    let sql = "SELECT to_jsonb(a) FROM audit_log a WHERE organization_id = $1 AND ($2::uuid IS NULL OR entity_id = $2)
            AND ($3::text IS NULL OR entity_type = $3) AND ($4::text IS NULL OR actor = $4)
            AND ($5::text IS NULL OR event_type = $5) AND ($6::timestamptz IS NULL OR recorded_at >= $6)
            AND ($7::timestamptz IS NULL OR recorded_at < $7)
            AND ($8::timestamptz IS NULL OR (recorded_at, stream, position, index) < ($8, $9, $10, $11))
        ORDER BY recorded_at DESC, stream DESC, position DESC, index DESC LIMIT $12";
    let query = sqlx::query_scalar(sql)
        .bind(organization)
        .bind(filter.entity_id)
        .bind(filter.entity_type.clone())
        .bind(filter.actor.clone())
        .bind(filter.event_type.clone())
        .bind(filter.from)
        .bind(filter.until)
        .bind(after.as_ref().map(|cursor| cursor.recorded_at))
        .bind(after.as_ref().map(|cursor| cursor.stream.clone()))
        .bind(after.as_ref().map(|cursor| cursor.position))
        .bind(after.as_ref().map(|cursor| cursor.index))
        .bind(limit.clamp(1, 1_001));
    reader.rows("audit_log", query).await
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
