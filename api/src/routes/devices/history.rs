//! Shows the history of a device, including its certificates and links.

use projections::certificate_register;
use projections::time_travel::history;

use super::view::find;
use crate::prelude::*;
use crate::routes::history::view::HistoryEvent;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the events, newest first.
    DeviceHistory(device_id: Uuid) { events: HistoryEvent }
}

#[OpenApi]
impl Api {
    /// Show the history of a device
    ///
    /// Who changed what and when: of the device, its certificates and its links.
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
        let page = paging.page(entries, |entry| entry.row.event_id)?;
        Ok(Json(DeviceHistory::new(id.0, page)))
    }
}
