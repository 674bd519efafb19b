//! Shows the newest values of a device.

use std::collections::HashMap;

use projections::latest_telemetry::read;

use super::latest::{LatestValue, metrics};
use crate::prelude::*;
use crate::routes::devices::view::find;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The newest value of each metric.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct DeviceLatest {
    device_id: Uuid,
    metrics: HashMap<String, LatestValue>,
    /// When anything of it last arrived.
    #[oai(nullable)]
    last_seen: Option<Time>,
    /// `online`, `offline` or `unknown`.
    status: String,
}

#[OpenApi]
impl Api {
    /// Show the newest values of a device
    #[oai(
        path = "/telemetry/device/:deviceId/latest",
        method = "get",
        tag = "Tag::Telemetry",
        operation_id = "deviceLatest"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "deviceId")] device_id: Path<Uuid>,
    ) -> Result<Json<DeviceLatest>, Problem> {
        find(&state, &caller, device_id.0).await?;
        let latest = read::get(&state.reader, device_id.0).await?;
        let (last_seen, status) = (latest.last_seen.map(Into::into), latest.connectivity.clone());
        Ok(Json(DeviceLatest { device_id: device_id.0, metrics: metrics(latest), last_seen, status }))
    }
}
