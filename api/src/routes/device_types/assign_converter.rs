//! Assigns a protocol converter to a device type.

use domain::device_type::{DeviceType, DeviceTypeCommand};
use domain::ids::ProtocolConverterId;

use super::view::{DeviceTypeResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The converter to assign.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AssignConverter {
    /// If absent or null, payloads are not converted.
    #[oai(nullable)]
    converter_id: Option<Uuid>,
}

#[OpenApi]
impl Api {
    /// Assign a protocol converter to a device type
    ///
    /// From now on, all payloads of devices of this type go through the converter. Payloads that it cannot convert
    /// become dead letters with the reason `not_converted`.
    #[oai(
        path = "/device-types/:id/converter",
        method = "put",
        tag = "Tag::DeviceTypes",
        operation_id = "assignConverter"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<AssignConverter>,
    ) -> Result<Revised<DeviceTypeResponse>, Problem> {
        let command = DeviceTypeCommand::AssignConverter { converter_id: body.0.converter_id.map(ProtocolConverterId) };
        let context = intent.context(&caller);
        let receipt = state.commands.execute_at::<DeviceType>(&context, id.0, command, expected.0).await?;
        Ok(Revised(after_write(&state, &caller, id.0, receipt).await?, Some(receipt)))
    }
}
