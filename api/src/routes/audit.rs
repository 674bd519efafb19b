//! Lists the audit log of the organisation: who changed what, when, and what caused it.

use projections::audit_log::AuditRow;
use projections::audit_log::read::{self, AuditFilter, Cursor};

use crate::prelude::*;
use crate::routes::time_window::bound;
use crate::time;

/// Default and maximum page size.
const USUAL: i64 = 50;
const MOST: i64 = 1_000;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// One stored event.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct AuditEvent {
    event_id: Uuid,
    /// `DeviceRenamed`, `CertificateRevoked`, `RuleDefined` …
    event_type: String,
    /// `device`, `certificate`, `rule` …
    entity_type: String,
    entity_id: Uuid,
    /// The entity's version after the event, from 1.
    version: i64,
    /// `user:<id>`, `api_key:<id>`, `device:<id>` or `system:<component>`.
    actor: String,
    recorded_at: Time,
    command_id: Uuid,
    /// Shared by all events that one request caused.
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    payload: Value,
}

/// One page of the list, newest first.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct AuditTrail {
    events: Vec<AuditEvent>,
    /// The `cursor` of the next page; absent on the last page.
    next_cursor: Option<String>,
}

impl From<AuditRow> for AuditEvent {
    fn from(row: AuditRow) -> Self {
        Self {
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
    /// List audit events
    ///
    /// Every stored event of the organisation. Personal data in user events is encrypted.
    #[oai(path = "/audit", method = "get", tag = "Tag::Audit", operation_id = "listAuditEvents")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the request")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ReadAudit>,
        #[oai(name = "entityType")] entity_type: Query<Option<String>>,
        #[oai(name = "entityId")] entity_id: Query<Option<Uuid>>,
        actor: Query<Option<String>>,
        /// The name of an event, such as `DeviceRenamed`.
        action: Query<Option<String>>,
        /// Recorded at or after this time.
        from: Query<Option<Time>>,
        /// Recorded before this time.
        to: Query<Option<Time>>,
        cursor: Query<Option<String>>,
        limit: Query<Option<i64>>,
    ) -> Result<Json<AuditTrail>, Problem> {
        let limit = limit.0.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::parameter("limit", format_args!("must be from 1 to {MOST}")));
        }
        let after = cursor.0.as_deref().map(read_cursor).transpose()?;
        let filter = AuditFilter {
            entity_id: entity_id.0,
            entity_type: entity_type.0,
            actor: actor.0,
            event_type: action.0,
            from: from.0.map(bound),
            until: to.0.map(bound),
        };
        // Reading one extra row tells whether there is a next page.
        let mut rows = read::list(&state.reader, caller.organization.0, &filter, after, limit + 1).await?;
        let more = rows.len() as i64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next_cursor = rows.last().filter(|_| more).map(|row| write_cursor(&Cursor::from(row)));
        Ok(Json(AuditTrail { events: rows.into_iter().map(AuditEvent::from).collect(), next_cursor }))
    }
}

fn write_cursor(Cursor { recorded_at, stream, position, index }: &Cursor) -> String {
    format!("{}.{stream}.{position}.{index}", recorded_at.timestamp_micros())
}

fn read_cursor(text: &str) -> Result<Cursor, Problem> {
    let read = || {
        let mut parts = text.split('.');
        let recorded_at = time::of_micros(parts.next()?)?;
        let (stream, position) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        let index = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Cursor { recorded_at, stream, position, index })
    };
    read().ok_or_else(|| Problem::parameter("cursor", "is not the nextCursor of a list"))
}
