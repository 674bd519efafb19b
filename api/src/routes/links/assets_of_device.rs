//! Lists the assets that a device measures.

use projections::asset_directory::read::{LinkedAsset as Linked, assets_of_device};

use crate::prelude::*;
use crate::routes::devices::view::find;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A linked asset, and how the device measures it.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct LinkedAsset {
    id: Uuid,
    #[oai(nullable)]
    name: Option<String>,
    link_id: Uuid,
    #[oai(nullable)]
    port: Option<i32>,
    role: String,
    valid_from: Time,
    #[oai(nullable)]
    valid_until: Option<Time>,
    #[oai(nullable)]
    health_score: Option<i16>,
}

page! {
    /// One page of the list.
    LinkedAssets { assets: LinkedAsset }
}

impl From<Linked> for LinkedAsset {
    fn from(linked: Linked) -> Self {
        Self {
            id: linked.link.asset_id,
            name: linked.asset_name,
            link_id: linked.link.id,
            port: linked.link.port,
            role: linked.link.role,
            valid_from: linked.link.valid_from.into(),
            valid_until: linked.link.valid_until.map(Into::into),
            health_score: linked.health_score,
        }
    }
}

#[OpenApi]
impl Api {
    /// List the assets of a device
    #[oai(path = "/devices/:deviceId/assets", method = "get", tag = "Tag::Links", operation_id = "assetsOfDevice")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "deviceId")] device_id: Path<Uuid>,
        /// Include links that have ended.
        ended: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<LinkedAssets>, Problem> {
        let paging = InMemoryPaging::new(limit, offset, &cursor)?;
        find(&state, &caller, device_id.0).await?;
        let ended = ended.0.unwrap_or(false);
        let links = assets_of_device(&state.reader, caller.organization.0, device_id.0, ended).await?;
        let page = paging.page(links, |linked| linked.link.id)?;
        Ok(Json(LinkedAssets::new(page)))
    }
}
