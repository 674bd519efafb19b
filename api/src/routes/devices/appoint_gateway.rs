//! Makes a device a gateway, which sends telemetry for other devices.

use domain::device::{Device, DeviceCommand};

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Appoint a device as gateway
    ///
    /// A gateway can send telemetry over HTTP for other devices of its organisation.
    #[oai(path = "/devices/:id/gateway", method = "put", tag = "Tag::Devices", operation_id = "appointGateway")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        let command = DeviceCommand::AppointGateway {};
        Ok(Success::at(state.commands.execute::<Device>(&intent.context(&caller), id.0, command).await?))
    }
}
