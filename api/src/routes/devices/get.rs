//! Shows a device.

use projections::device_directory::read::Device;

use super::view::{DeviceResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show a device
    ///
    /// With `asOf`, connectivity and the type's name are unknown.
    #[oai(path = "/devices/:id", method = "get", tag = "Tag::Devices", operation_id = "getDevice")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        /// Shows the state at this time, rebuilt from the events recorded at or before it; defaults to the present.
        #[oai(name = "asOf")]
        as_of: AsOf,
    ) -> Result<Fetched<DeviceResponse>, Problem> {
        let Some(past) = point_in_time(&state, &caller, &as_of) else {
            return Ok(Fetched(find(&state, &caller, id.0).await?.into()));
        };
        let (row, links) = past.device(id.0).await?.ok_or_else(|| Problem::not_found("device"))?;
        Ok(Fetched(Device::historical(row, links).into()))
    }
}
