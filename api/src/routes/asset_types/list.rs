//! Lists asset types.

use projections::type_catalogue::read;

use super::view::AssetType;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A part of the list.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct AssetTypes {
    asset_types: Vec<AssetType>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// List asset types
    #[oai(path = "/asset-types", method = "get", tag = "Tag::AssetTypes", operation_id = "listAssetTypes")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// Retired ones too.
        retired: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<AssetTypes>, Problem> {
        let retired = retired.0.unwrap_or(false);
        let page =
            read::asset_types(&state.reader, caller.organization.0, retired, paging(limit, offset, &cursor)?).await?;
        let page = page.map(AssetType::from);
        Ok(Json(AssetTypes { asset_types: page.items, total: page.total, next_cursor: next_cursor(page.next) }))
    }
}
