//! Shows a device type.

use super::view::{DeviceTypeResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show a device type
    #[oai(path = "/device-types/:id", method = "get", tag = "Tag::DeviceTypes", operation_id = "getDeviceType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<DeviceTypeResponse>, Problem> {
        Ok(Fetched(find(&state, &caller, id.0).await?))
    }
}
