//! Shows everything that was ever done to a device, its certificates and its links.

use projections::certificate_register;
use projections::time_travel::history;

use super::view::find;
use crate::prelude::*;
use crate::routes::history::view::HistoryEvent;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The newest first.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct DeviceHistory {
    device_id: Uuid,
    events: Vec<HistoryEvent>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
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
        cursor: Cursor,
    ) -> Result<Json<DeviceHistory>, Problem> {
        let paging = InMemoryPaging::new(limit, offset, &cursor)?;
        find(&state, &caller, id.0).await?;
        let organization = caller.organization.0;
        let certificates = certificate_register::read::of_device(&state.reader, organization, id.0).await?;
        let certificates = certificates.iter().map(|certificate| ("certificate", certificate.id));
        let mut entries = vec![];
        for (kind, id) in [("device", id.0), ("device_links", id.0)].into_iter().chain(certificates) {
            entries.extend(history(&state.reader, organization, kind, id).await?);
        }
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.row.position, entry.row.index)));
        let (events, total, next_cursor) = paging.page(entries, |entry| entry.row.event_id)?;
        let events = events.into_iter().map(HistoryEvent::from).collect();
        Ok(Json(DeviceHistory { device_id: id.0, events, total, next_cursor }))
    }
}
