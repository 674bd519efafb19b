//! Shows the newest values of an asset.

use std::collections::HashMap;

use projections::latest_telemetry::read;

use super::latest::{LatestValue, metrics};
use crate::prelude::*;
use crate::routes::assets::view::find;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The newest value of each metric.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct AssetLatest {
    asset_id: Uuid,
    metrics: HashMap<String, LatestValue>,
    /// When anything of it last arrived.
    #[oai(nullable)]
    last_seen: Option<Time>,
    /// 0 to 100.
    #[oai(nullable)]
    health_score: Option<i16>,
}

#[OpenApi]
impl Api {
    /// Show the newest values of an asset
    #[oai(
        path = "/telemetry/asset/:assetId/latest",
        method = "get",
        tag = "Tag::Telemetry",
        operation_id = "assetLatest"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "assetId")] asset_id: Path<Uuid>,
    ) -> Result<Json<AssetLatest>, Problem> {
        let asset = find(&state, &caller, asset_id.0).await?;
        let latest = read::get(&state.reader, asset_id.0).await?;
        let last_seen = latest.last_seen.map(Into::into);
        let health_score = asset.health_score;
        Ok(Json(AssetLatest { asset_id: asset_id.0, metrics: metrics(latest), last_seen, health_score }))
    }
}
