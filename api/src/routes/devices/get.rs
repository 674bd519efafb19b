//! Shows one device.

use super::view::{DeviceResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show a device
    #[oai(path = "/devices/:id", method = "get", tag = "Tag::Devices", operation_id = "getDevice")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Seen<DeviceResponse>, Problem> {
        Ok(Seen(find(&state, &caller, id.0).await?.into()))
    }
}
