//! Registers a device and issues its first certificate.

use std::collections::HashMap;

use commands::{NewDevice, RegisteredDevice};
use domain::ids::DeviceTypeId;
use projections::{certificate_register, device_directory};

use super::issued::IssuedCertificate;
use super::view::{self, Device};
use crate::auth::Caller;
use crate::prelude::*;
use crate::refusals::never_refused;
use crate::routes::attributes::object;
use crate::routes::visible::there;

/// How long a certificate is valid if nothing is said, in days.
const USUAL_VALIDITY_DAYS: u32 = 365;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A new device.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateDevice {
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    /// Unique in the organisation.
    serial_number: String,
    device_type_id: Uuid,
    #[oai(nullable)]
    custom_attributes: Option<HashMap<String, Value>>,
    /// 1 to 3650; 365 by default.
    #[oai(nullable)]
    certificate_validity_days: Option<u32>,
}

/// The device, and what it needs to connect.
#[derive(Object)]
struct CreatedDevice {
    device: Device,
    certificate: IssuedCertificate,
}

#[OpenApi]
impl Api {
    /// Register a device
    ///
    /// Issues its first certificate. The private key is in this answer and nowhere else; a repeat with the same
    /// `Idempotency-Key` answers the same device and certificate without it.
    #[oai(path = "/devices", method = "post", tag = "Tag::Devices", operation_id = "createDevice")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<CreateDevice>,
    ) -> Result<Created<CreatedDevice>, Problem> {
        let new = NewDevice {
            name: body.0.name,
            description: body.0.description,
            serial_number: body.0.serial_number,
            device_type_id: DeviceTypeId(body.0.device_type_id),
            custom_attributes: object(body.0.custom_attributes),
            certificate_validity_days: body.0.certificate_validity_days.unwrap_or(USUAL_VALIDITY_DAYS),
        };
        let registered = state.commands.register_device(&intent.context(&caller), new).await?;
        let device = shown(&state, &caller, &registered).await?;
        Ok(Created(CreatedDevice { device, certificate: registered.certificate.into() }, registered.receipt))
    }
}

/// The key must reach the caller even if the read models are late.
async fn shown(state: &State, caller: &Caller, registered: &RegisteredDevice) -> Result<Device, Problem> {
    let id = registered.device_id;
    let seen = tokio::join!(
        visible(state, device_directory::NAME, registered.receipt),
        visible(state, certificate_register::NAME, registered.receipt),
    );
    if let (Ok(()), Ok(())) = seen
        && let Ok(device) = view::find(state, caller, id.0).await
    {
        return Ok(device.into());
    }
    let loaded = state.commands.load::<domain::device::Device>(caller.organization, id.0).await;
    let loaded = loaded.map_err(never_refused)?;
    there(loaded.and_then(|(device, _)| Device::registered(id.0, caller, device, state.now())))
}
