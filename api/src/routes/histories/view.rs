//! An event of a thing's history as the API shows it.

use projections::past::{AuditEntry, FieldChange};

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
            command_id: row.command_id,
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            payload: row.payload,
        }
    }
}

/// Which part of a history is wanted.
pub struct Part {
    limit: usize,
    offset: usize,
    after: Option<Uuid>,
}

impl Part {
    /// Reads what is wanted: 50 events from the newest on by default. A cursor is the id of the last event before.
    pub fn of(limit: Query<Option<i64>>, offset: Query<Option<i64>>, cursor: &Cursor) -> Result<Self, Problem> {
        let paging = paging(limit, offset, &Query(None))?;
        let after = cursor.0.as_deref().map(str::parse).transpose().map_err(|_| unknown_cursor())?;
        let size = |number: i64| usize::try_from(number).unwrap_or_default();
        Ok(Self { limit: size(paging.limit), offset: size(paging.offset), after })
    }

    /// Returns the part of a history, how many events the whole has, and where the next part begins.
    pub fn cut(&self, entries: Vec<AuditEntry>) -> Result<(Vec<HistoryEvent>, i64, Option<String>), Problem> {
        let total = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let place = |after: Uuid| entries.iter().position(|entry| entry.row.event_id == after);
        let start = match self.after {
            Some(after) => place(after).ok_or_else(unknown_cursor)? + 1,
            None => self.offset,
        };
        let goes_on = entries.len() > start.saturating_add(self.limit);
        let part: Vec<_> = entries.into_iter().skip(start).take(self.limit).collect();
        let next = part.last().filter(|_| goes_on).map(|entry| entry.row.event_id.to_string());
        Ok((part.into_iter().map(HistoryEvent::from).collect(), total, next))
    }
}

fn unknown_cursor() -> Problem {
    Problem::parameter("cursor", "is not the nextCursor of this list")
}
