//! Shows an asset type.

use super::view::{AssetTypeResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show an asset type
    #[oai(path = "/asset-types/:id", method = "get", tag = "Tag::AssetTypes", operation_id = "getAssetType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<AssetTypeResponse>, Problem> {
        Ok(Fetched(find(&state, &caller, id.0).await?))
    }
}
