//! Shows the values of an asset.

use super::range::{Aggregation, Point, Range};
use crate::prelude::*;
use crate::routes::assets::view::find;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Values in the order of time.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct AssetTelemetry {
    asset_id: Uuid,
    /// The metric that was asked for; null for all.
    #[oai(nullable)]
    metric_key: Option<String>,
    data: Vec<Point>,
    aggregation: Aggregation,
    count: usize,
}

#[OpenApi]
impl Api {
    /// Show the values of an asset
    ///
    /// Those measured at or after `startTime` (24 hours ago by default) and before `endTime` (now by default), in the
    /// order of time. Of more than `limit` the newest: page backwards with the first one's time as `endTime`.
    #[oai(path = "/telemetry/asset/:assetId", method = "get", tag = "Tag::Telemetry", operation_id = "assetTelemetry")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "assetId")] asset_id: Path<Uuid>,
        #[oai(name = "metricKey")] metric_key: Query<Option<String>>,
        #[oai(name = "startTime")] start_time: Query<Option<Time>>,
        #[oai(name = "endTime")] end_time: Query<Option<Time>>,
        aggregation: Query<Option<Aggregation>>,
        /// 1 to 10,000; 1,000 by default.
        limit: Query<Option<i64>>,
    ) -> Result<Json<AssetTelemetry>, Problem> {
        find(&state, &caller, asset_id.0).await?;
        let range = Range {
            metric_key: metric_key.0,
            start_time: start_time.0,
            end_time: end_time.0,
            aggregation: aggregation.0,
            limit: limit.0,
        };
        let data = range.read(&state, asset_id.0, true).await?;
        Ok(Json(AssetTelemetry {
            asset_id: asset_id.0,
            aggregation: range.aggregation(),
            metric_key: range.metric_key,
            count: data.len(),
            data,
        }))
    }
}
