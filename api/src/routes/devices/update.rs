//! Changes name, description and attributes of a device.

use std::collections::HashMap;

use domain::device::{Device, DeviceCommand};

use super::view::{DeviceResponse, after, find};
use crate::prelude::*;
use crate::routes::attributes::object;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// What changes; what is left out stays.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateDevice {
    #[oai(nullable)]
    name: Option<String>,
    /// An empty text removes it.
    #[oai(nullable)]
    description: Option<String>,
    #[oai(nullable)]
    custom_attributes: Option<HashMap<String, Value>>,
}

impl UpdateDevice {
    fn commands(self) -> Vec<(&'static str, DeviceCommand)> {
        let name = self.name.map(|name| ("rename", DeviceCommand::RenameDevice { name }));
        let description = self.description.map(|text| {
            ("describe", DeviceCommand::DescribeDevice { description: (!text.is_empty()).then_some(text) })
        });
        let attributes = self.custom_attributes.map(|attributes| {
            ("attributes", DeviceCommand::ChangeDeviceAttributes { custom_attributes: object(Some(attributes)) })
        });
        name.into_iter().chain(description).chain(attributes).collect()
    }
}

#[OpenApi]
impl Api {
    /// Change a device
    #[oai(path = "/devices/:id", method = "put", tag = "Tag::Devices", operation_id = "updateDevice")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] mut expected: IfMatch,
        id: Path<Uuid>,
        body: Body<UpdateDevice>,
    ) -> Result<Revised<DeviceResponse>, Problem> {
        let context = intent.context(&caller);
        let mut last = None;
        for (step, command) in body.0.commands() {
            last =
                Some(state.commands.execute_at::<Device>(&context.step(step), id.0, command, expected.take()).await?);
        }
        let response = match last {
            Some(receipt) => after(&state, &caller, id.0, receipt).await?,
            None => {
                let present = find(&state, &caller, id.0).await?;
                expected.holds(present.row.version)?;
                present.into()
            }
        };
        Ok(Revised(response, last))
    }
}
