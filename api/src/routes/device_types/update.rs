//! Revises a device type.

use domain::device_type::{DeviceType, DeviceTypeCommand};

use super::view::{DeviceTypeRequest, DeviceTypeResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Revise a device type
    ///
    /// Replaces the whole type; omitted fields are removed.
    #[oai(path = "/device-types/:id", method = "put", tag = "Tag::DeviceTypes", operation_id = "updateDeviceType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<DeviceTypeRequest>,
    ) -> Result<Revised<DeviceTypeResponse>, Problem> {
        let DeviceTypeRequest { name, description, metrics, unknown_metrics } = body.0;
        let metrics = metrics.into_iter().map(Into::into).collect();
        let unknown_metrics = unknown_metrics.into();
        let command = DeviceTypeCommand::ReviseDeviceType { name, description, metrics, unknown_metrics };
        let receipt =
            state.commands.execute_at::<DeviceType>(&intent.context(&caller), id.0, command, expected.0).await?;
        Ok(Revised(after_write(&state, &caller, id.0, receipt).await?, Some(receipt)))
    }
}
