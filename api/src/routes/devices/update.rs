//! Changes name, description and attributes of a device.

use std::collections::HashMap;

use domain::device::{Device, DeviceCommand};

use super::view::{DeviceResponse, after_write, find};
use crate::prelude::*;
use crate::routes::attributes::object;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The fields to change; omitted fields keep their values.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateDevice {
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// An empty string removes it.
    #[oai(nullable)]
    description: Option<String>,
    /// A number that would lose digits (more than 64 bits, or more than 17 digits) is refused: send it as a text.
    #[oai(nullable)]
    custom_attributes: Option<HashMap<String, Value>>,
}

impl UpdateDevice {
    fn changes(self) -> Vec<DeviceCommand> {
        let name = self.name.map(|name| DeviceCommand::RenameDevice { name });
        let description = self
            .description
            .map(|text| DeviceCommand::DescribeDevice { description: (!text.is_empty()).then_some(text) });
        let attributes = self
            .custom_attributes
            .map(|attributes| DeviceCommand::ChangeDeviceAttributes { custom_attributes: object(Some(attributes)) });
        name.into_iter().chain(description).chain(attributes).collect()
    }
}

#[OpenApi]
impl Api {
    /// Change a device
    ///
    /// All changes are applied together, or none.
    #[oai(path = "/devices/:id", method = "put", tag = "Tag::Devices", operation_id = "updateDevice")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<UpdateDevice>,
    ) -> Result<Revised<DeviceResponse>, Problem> {
        let changes = body.0.changes();
        if changes.is_empty() {
            let present = find(&state, &caller, id.0).await?;
            expected.holds(present.row.version)?;
            return Ok(Revised(present.into(), None));
        }
        let (context, command) = (intent.context(&caller), DeviceCommand::ReviseDevice { changes });
        let receipt = state.commands.execute_at::<Device>(&context, id.0, command, expected.0).await?;
        Ok(Revised(after_write(&state, &caller, id.0, receipt).await?, Some(receipt)))
    }
}
