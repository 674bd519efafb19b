//! Shows one asset.

use super::view::{AssetResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show an asset
    #[oai(path = "/assets/:id", method = "get", tag = "Tag::Assets", operation_id = "getAsset")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Seen<AssetResponse>, Problem> {
        Ok(Seen(find(&state, &caller, id.0).await?.into()))
    }
}
