//! Lists asset types.

use projections::type_catalogue::read;

use super::view::AssetType;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    AssetTypes { asset_types: AssetType }
}

#[OpenApi]
impl Api {
    /// List asset types
    #[oai(path = "/asset-types", method = "get", tag = "Tag::AssetTypes", operation_id = "listAssetTypes")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// Include retired entries.
        retired: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<AssetTypes>, Problem> {
        let retired = retired.0.unwrap_or(false);
        let page =
            read::asset_types(&state.reader, caller.organization.0, retired, paging(limit, offset, &cursor)?).await?;
        Ok(Json(AssetTypes::new(page)))
    }
}
