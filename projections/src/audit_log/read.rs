//! Queries of the audit log.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::AuditRow;
use crate::{Error, Reader};

/// Filters a list of events; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditFilter {
    /// Of this entity.
    pub entity_id: Option<Uuid>,
    /// Of entities of this type.
    pub entity_type: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// With this event name.
    pub event_type: Option<String>,
    /// Recorded at or after.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub until: Option<DateTime<Utc>>,
}

/// The end of a page: an event's place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The stream that stores it.
    pub stream: String,
    /// Its message's position there.
    pub position: i64,
    /// Its index within the message.
    pub index: i32,
}

impl From<&AuditRow> for Cursor {
    fn from(row: &AuditRow) -> Self {
        let AuditRow { recorded_at, stream, position, index, .. } = row;
        Self { recorded_at: *recorded_at, stream: stream.clone(), position: *position, index: *index }
    }
}

/// Lists events; newest first, starting after a cursor.
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
