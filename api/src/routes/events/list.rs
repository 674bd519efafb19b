//! Lists system events: what the platform detected.

use domain::user::AccessRole;
use projections::system_events::SystemEventRow;
use projections::system_events::read::{self, SystemEventFilter};

use crate::prelude::*;
use crate::routes::time_window::bound;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// One system event.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct SystemEvent {
    id: Uuid,
    /// `THRESHOLD_BREACH`, `RETURN_TO_NORMAL`, `DEVICE_OFFLINE`, `CONNECTION_REFUSED` …
    #[oai(rename = "type")]
    event_type: String,
    entity_type: Option<String>,
    entity_id: Option<Uuid>,
    severity: String,
    timestamp: Time,
    payload: Value,
}

page! {
    /// One page of the list.
    SystemEvents { events: SystemEvent }
}

impl From<SystemEventRow> for SystemEvent {
    fn from(row: SystemEventRow) -> Self {
        Self {
            id: row.id,
            event_type: row.event_type,
            entity_type: row.entity_type,
            entity_id: row.entity_id,
            severity: row.severity,
            timestamp: row.occurred_at.into(),
            payload: row.payload,
        }
    }
}

#[OpenApi]
impl Api {
    /// List system events
    ///
    /// Newest first. `total` is capped at 10,001.
    #[oai(path = "/events", method = "get", tag = "Tag::Events", operation_id = "listEvents")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "type")] event_type: Query<Option<String>>,
        #[oai(name = "entityId")] entity_id: Query<Option<Uuid>>,
        /// Occurred at or after this time.
        from: Query<Option<Time>>,
        /// Occurred before this time.
        to: Query<Option<Time>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<SystemEvents>, Problem> {
        let filter = SystemEventFilter {
            event_type: event_type.0,
            severity: None,
            entity_id: entity_id.0,
            from: from.0.map(bound),
            until: to.0.map(bound),
        };
        // Refused connections without an organisation are shown to platform administrators only.
        let unassigned = caller.role == AccessRole::PlatformAdmin;
        let paging = paging(limit, offset, &cursor)?;
        let page = read::list(&state.reader, caller.organization.0, unassigned, &filter, paging).await?;
        Ok(Json(SystemEvents::new(page)))
    }
}
