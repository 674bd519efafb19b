//! Removes the gateway role of a device.

use domain::device::{Device, DeviceCommand};

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Dismiss a gateway
    ///
    /// The device can still send its own telemetry.
    #[oai(path = "/devices/:id/gateway", method = "delete", tag = "Tag::Devices", operation_id = "dismissGateway")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        let command = DeviceCommand::DismissGateway {};
        Ok(Success::at(state.commands.execute::<Device>(&intent.context(&caller), id.0, command).await?))
    }
}
