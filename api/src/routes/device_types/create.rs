//! Defines a device type.

use domain::device_type::{DeviceType, DeviceTypeCommand};

use super::view::{DeviceTypeRequest, DeviceTypeResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Define a device type
    #[oai(path = "/device-types", method = "post", tag = "Tag::DeviceTypes", operation_id = "createDeviceType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<DeviceTypeRequest>,
    ) -> Result<Created<DeviceTypeResponse>, Problem> {
        let context = intent.context(&caller);
        let id = context.created_id("device type");
        let DeviceTypeRequest { name, description, metrics, unknown_metrics } = body.0;
        let metrics = metrics.into_iter().map(Into::into).collect();
        let unknown_metrics = unknown_metrics.into();
        let command = DeviceTypeCommand::DefineDeviceType { name, description, metrics, unknown_metrics };
        let receipt = state.commands.execute::<DeviceType>(&context, id, command).await?;
        Ok(Created(after_write(&state, &caller, id, receipt).await?, receipt))
    }
}
