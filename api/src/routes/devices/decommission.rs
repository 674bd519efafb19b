//! Decommissions a device.

use domain::ids::DeviceId;

use super::view::{DeviceResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Why the device is decommissioned.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct DecommissionDevice {
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Decommission a device
    ///
    /// Cannot be undone: its certificates are revoked and its sessions end; its history is kept. Its serial number can be
    /// used again by another device.
    #[oai(
        path = "/devices/:id/decommission",
        method = "post",
        tag = "Tag::Devices",
        operation_id = "decommissionDevice"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<DecommissionDevice>,
    ) -> Result<Revised<DeviceResponse>, Problem> {
        let context = intent.context(&caller);
        let done = state.commands.decommission_device(&context, DeviceId(id.0), &body.0.reason).await?;
        Ok(Revised(after_write(&state, &caller, id.0, done.receipt).await?, Some(done.receipt)))
    }
}
