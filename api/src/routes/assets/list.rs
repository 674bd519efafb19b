//! Lists assets.

use projections::asset_directory::read::{self, AssetFilter};

use super::view::Asset;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    Assets { assets: Asset }
}

#[OpenApi]
impl Api {
    /// List assets
    ///
    /// Ordered by name. `total` is capped at 10,001.
    #[oai(path = "/assets", method = "get", tag = "Tag::Assets", operation_id = "listAssets")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "assetTypeId")] asset_type_id: Query<Option<Uuid>>,
        /// Only the direct children of this asset.
        #[oai(name = "parentId")]
        parent_id: Query<Option<Uuid>>,
        /// Only retired assets, instead of only those in use.
        retired: Query<Option<bool>>,
        /// A substring of the name or description.
        text: Query<Option<String>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Assets>, Problem> {
        let filter = AssetFilter {
            asset_type_id: asset_type_id.0,
            kind: None,
            parent_id: parent_id.0,
            retired: Some(retired.0.unwrap_or(false)),
            text: text.0,
        };
        let page = read::list(&state.reader, caller.organization.0, &filter, paging(limit, offset, &cursor)?).await?;
        Ok(Json(Assets::new(page)))
    }
}
