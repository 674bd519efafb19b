//! Lists the stored values of a device or an asset.

use super::range::{Aggregation, Point, Range};
use crate::prelude::*;
use crate::routes::{assets, devices};

/// The endpoints.
pub type Api = (DeviceApi, AssetApi);

/// Declares the endpoint of one kind of entity and its response. `$find` refuses an entity that the caller cannot see.
/// A macro, because poem-openapi reads paths and names from literals.
macro_rules! history_of {
    (
        $(#[$doc:meta])*
        $api:ident, $path:literal, $operation:literal, $response:ident { $id_field:ident as $id_name:literal },
        find $find:path, is_asset $is_asset:literal
    ) => {
        /// The endpoint.
        #[derive(Default)]
        pub struct $api;

        /// Values in chronological order.
        #[derive(Object)]
        #[oai(rename_all = "camelCase")]
        struct $response {
            $id_field: Uuid,
            /// The requested metric; null for all.
            #[oai(nullable)]
            metric_key: Option<String>,
            data: Vec<Point>,
            aggregation: Aggregation,
            count: usize,
        }

        #[OpenApi]
        impl $api {
            $(#[$doc])*
            #[oai(path = $path, method = "get", tag = "Tag::Telemetry", operation_id = $operation)]
            #[allow(clippy::too_many_arguments, reason = "each is a parameter of the request")]
            async fn call(
                &self,
                state: Data<&State>,
                caller: Allowed<access::Read>,
                #[oai(name = $id_name)] id: Path<Uuid>,
                #[oai(name = "metricKey")] metric_key: Query<Option<String>>,
                /// Measured at or after this time; defaults to 24 hours before the end.
                #[oai(name = "startTime")]
                start_time: Query<Option<Time>>,
                /// Measured before this time; defaults to now.
                #[oai(name = "endTime")]
                end_time: Query<Option<Time>>,
                /// Steps begin at full minutes, five minutes or hours in UTC. A step that the range cuts has only the
                /// values within the range. Only numbers are aggregated.
                aggregation: Query<Option<Aggregation>>,
                /// Maximum number of points, 1 to 10,000; defaults to 1,000.
                limit: Query<Option<i64>>,
            ) -> Result<Json<$response>, Problem> {
                $find(&state, &caller, id.0).await?;
                let range = Range {
                    metric_key: metric_key.0,
                    start_time: start_time.0,
                    end_time: end_time.0,
                    aggregation: aggregation.0,
                    limit: limit.0,
                };
                let data = range.read(&state, id.0, $is_asset).await?;
                Ok(Json($response {
                    $id_field: id.0,
                    aggregation: range.aggregation(),
                    metric_key: range.metric_key,
                    count: data.len(),
                    data,
                }))
            }
        }
    };
}

history_of! {
    /// List the values of a device
    ///
    /// Returns values measured at or after `startTime` (default: 24 hours ago) and before `endTime` (default: now), in
    /// chronological order. If there are more than `limit`, the newest are returned: to page backwards, pass the
    /// timestamp of the first one as `endTime`.
    DeviceApi, "/telemetry/device/:deviceId", "deviceTelemetry", DeviceTelemetry { device_id as "deviceId" },
    find devices::view::find, is_asset false
}

history_of! {
    /// List the values of an asset
    ///
    /// Returns values measured at or after `startTime` (default: 24 hours ago) and before `endTime` (default: now), in
    /// chronological order. If there are more than `limit`, the newest are returned: to page backwards, pass the
    /// timestamp of the first one as `endTime`.
    AssetApi, "/telemetry/asset/:assetId", "assetTelemetry", AssetTelemetry { asset_id as "assetId" },
    find assets::view::find, is_asset true
}
