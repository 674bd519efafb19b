//! Shows the values of a device.

use super::range::{Aggregation, Point, Range};
use crate::prelude::*;
use crate::routes::devices::view::find;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Values in the order of time.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct DeviceTelemetry {
    device_id: Uuid,
    /// The metric that was asked for; null for all.
    #[oai(nullable)]
    metric_key: Option<String>,
    data: Vec<Point>,
    aggregation: Aggregation,
    count: usize,
}

#[OpenApi]
impl Api {
    /// Show the values of a device
    ///
    /// Those measured at or after `startTime` (24 hours ago by default) and before `endTime` (now by default), in the
    /// order of time. Of more than `limit` the newest: page backwards with the first one's time as `endTime`.
    #[oai(
        path = "/telemetry/device/:deviceId",
        method = "get",
        tag = "Tag::Telemetry",
        operation_id = "deviceTelemetry"
    )]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "deviceId")] device_id: Path<Uuid>,
        #[oai(name = "metricKey")] metric_key: Query<Option<String>>,
        #[oai(name = "startTime")] start_time: Query<Option<Time>>,
        #[oai(name = "endTime")] end_time: Query<Option<Time>>,
        aggregation: Query<Option<Aggregation>>,
        /// 1 to 10,000; 1,000 by default.
        limit: Query<Option<i64>>,
    ) -> Result<Json<DeviceTelemetry>, Problem> {
        find(&state, &caller, device_id.0).await?;
        let range = Range {
            metric_key: metric_key.0,
            start_time: start_time.0,
            end_time: end_time.0,
            aggregation: aggregation.0,
            limit: limit.0,
        };
        let data = range.read(&state, device_id.0, false).await?;
        Ok(Json(DeviceTelemetry {
            device_id: device_id.0,
            aggregation: range.aggregation(),
            metric_key: range.metric_key,
            count: data.len(),
            data,
        }))
    }
}
