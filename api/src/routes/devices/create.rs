//! Registers a device and issues its first certificate, unless the device will enrol for it.

use std::collections::HashMap;

use commands::device::Refusal;
use commands::{CommandContext, Error, IssuedCertificate as Issued, NewDevice, Receipt};
use domain::ids::{DeviceId, DeviceTypeId};
use projections::{certificate_register, device_directory};

use super::issued_certificate::{EquippedDevice, IssuedCertificate, USUAL_VALIDITY_DAYS};
use super::requested_certificate::RequestedCertificate;
use super::view::{self, Device};
use crate::auth::Caller;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::attributes::object;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A new device.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateDevice {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    /// Unique among the devices in service of the organisation.
    #[oai(validator(min_length = 1, max_length = 100))]
    serial_number: String,
    device_type_id: Uuid,
    /// A number that would lose digits (more than 64 bits, or more than 17 digits) is refused: send it as a text.
    #[oai(nullable)]
    custom_attributes: Option<HashMap<String, Value>>,
    /// Days, 1 to 3,650, and not beyond the end of the root certificate; defaults to 365.
    #[oai(nullable)]
    certificate_validity_days: Option<u32>,
    /// A certificate signing request in PEM (PKCS #10, ECDSA P-256 or P-384), also labelled `NEW CERTIFICATE REQUEST` and
    /// with text around it: the certificate is for its key, which never leaves the device. If absent, the platform
    /// generates the key.
    #[oai(nullable)]
    csr: Option<String>,
    /// Whether to issue a certificate; if not, the device enrols with a claim code. Defaults to true.
    #[oai(nullable)]
    issue_certificate: Option<bool>,
    /// Whether the bundle can also be downloaded by a link, for which it is kept encrypted for 15 minutes. Defaults to
    /// true.
    #[oai(nullable)]
    download_link: Option<bool>,
}

#[OpenApi]
impl Api {
    /// Register a device
    ///
    /// Issues the first certificate. The private key is in this response and, for one download within 15 minutes,
    /// behind `downloadUrl`; a repeat with the same `Idempotency-Key` returns the same device and certificate without
    /// the key.
    #[oai(path = "/devices", method = "post", tag = "Tag::Devices", operation_id = "createDevice")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<CreateDevice>,
    ) -> Result<Created<EquippedDevice>, Problem> {
        let new = NewDevice {
            name: body.0.name,
            description: body.0.description,
            serial_number: body.0.serial_number,
            device_type_id: DeviceTypeId(body.0.device_type_id),
            custom_attributes: object(body.0.custom_attributes),
            certificate_validity_days: body.0.certificate_validity_days.unwrap_or(USUAL_VALIDITY_DAYS),
        };
        let requested = RequestedCertificate::from_fields(body.0.csr, body.0.issue_certificate)?;
        let (id, issued, receipt) = register(&state, &intent.context(&caller), new, requested).await?;
        let link = body.0.download_link.unwrap_or(true);
        let certificate = match issued {
            Some(issued) => Some(IssuedCertificate::with_link(&state, &caller, id, issued, link).await),
            None => None,
        };
        let device = after_issue(&state, &caller, id, receipt).await?;
        Ok(Created(EquippedDevice { device, certificate }, receipt))
    }
}

/// Registers a device with the requested certificate, if any.
pub async fn register(
    state: &State,
    context: &CommandContext,
    new: NewDevice,
    certificate: RequestedCertificate,
) -> Result<(DeviceId, Option<Issued>, Receipt), Error<Refusal>> {
    let registered = match certificate {
        RequestedCertificate::None => {
            let pending = state.commands.register_pending_device(context, new).await?;
            return Ok((pending.device_id, None, pending.receipt));
        }
        RequestedCertificate::SigningRequest(csr) => state.commands.register_device_for_key(context, new, &csr).await?,
        RequestedCertificate::GeneratedKey => state.commands.register_device(context, new).await?,
    };
    Ok((registered.device_id, Some(registered.certificate), registered.receipt))
}

/// Returns a device after a certificate was issued for it. Falls back to the aggregate if the read models are late: the
/// private key is in this response only and must reach the caller.
pub async fn after_issue(state: &State, caller: &Caller, id: DeviceId, receipt: Receipt) -> Result<Device, Problem> {
    let seen = tokio::join!(
        wait_until_visible(state, device_directory::NAME, receipt),
        wait_until_visible(state, certificate_register::NAME, receipt),
    );
    if let (true, true) = seen
        && let Ok(device) = view::find(state, caller, id.0).await
    {
        return Ok(device.into());
    }
    let loaded = state.commands.load::<domain::device::Device>(caller.organization, id.0).await;
    let loaded = loaded.map_err(never_refused)?;
    let device = loaded.and_then(|(device, _)| Device::registered(id.0, caller, device, state.now()));
    device.ok_or_else(|| Problem::stored(id.0, receipt))
}
