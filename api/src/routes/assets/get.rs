//! Shows an asset.

use projections::asset_directory::read::Asset;

use super::view::{AssetResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show an asset
    ///
    /// With `asOf`, health and counts are absent.
    #[oai(path = "/assets/:id", method = "get", tag = "Tag::Assets", operation_id = "getAsset")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        /// Shows the state at this time, rebuilt from the events recorded at or before it; defaults to the present.
        #[oai(name = "asOf")]
        as_of: AsOf,
    ) -> Result<Fetched<AssetResponse>, Problem> {
        let Some(past) = point_in_time(&state, &caller, &as_of) else {
            return Ok(Fetched(find(&state, &caller, id.0).await?.into()));
        };
        let (row, parent) = past.asset(id.0).await?.ok_or_else(|| Problem::not_found("asset"))?;
        Ok(Fetched(Asset::historical(row, parent).into()))
    }
}
