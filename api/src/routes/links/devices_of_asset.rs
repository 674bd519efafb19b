//! Lists the devices that measure an asset.

use projections::asset_directory::read::{LinkedDevice as Linked, devices_of_asset};

use crate::prelude::*;
use crate::routes::assets::view::find;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A linked device, and how it measures the asset.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct LinkedDevice {
    id: Uuid,
    #[oai(nullable)]
    name: Option<String>,
    link_id: Uuid,
    #[oai(nullable)]
    port: Option<i32>,
    role: String,
    /// `online`, `offline` or `unknown`.
    status: String,
    #[oai(nullable)]
    last_seen: Option<Time>,
    valid_from: Time,
    #[oai(nullable)]
    valid_until: Option<Time>,
}

page! {
    /// One page of the list.
    LinkedDevices { devices: LinkedDevice }
}

impl From<Linked> for LinkedDevice {
    fn from(linked: Linked) -> Self {
        Self {
            id: linked.link.device_id,
            name: linked.device_name,
            link_id: linked.link.id,
            port: linked.link.port,
            role: linked.link.role,
            status: linked.connectivity,
            last_seen: linked.last_seen.map(Into::into),
            valid_from: linked.link.valid_from.into(),
            valid_until: linked.link.valid_until.map(Into::into),
        }
    }
}

#[OpenApi]
impl Api {
    /// List the devices of an asset
    #[oai(path = "/assets/:assetId/devices", method = "get", tag = "Tag::Links", operation_id = "devicesOfAsset")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "assetId")] asset_id: Path<Uuid>,
        /// Include links that have ended.
        ended: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<LinkedDevices>, Problem> {
        let paging = InMemoryPaging::new(limit, offset, &cursor)?;
        find(&state, &caller, asset_id.0).await?;
        let ended = ended.0.unwrap_or(false);
        let links = devices_of_asset(&state.reader, caller.organization.0, asset_id.0, ended).await?;
        let page = paging.page(links, |linked| linked.link.id)?;
        Ok(Json(LinkedDevices::new(page)))
    }
}
