//! Replaces the physical device behind a device record.

use commands::{Replacement, ReplacementCertificate};
use domain::ids::DeviceId;

use super::create::after_issue;
use super::issued_certificate::{EquippedDevice, IssuedCertificate, USUAL_VALIDITY_DAYS};
use super::requested_certificate::RequestedCertificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The new physical device, and why the old one is replaced.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ReplaceDevice {
    /// Serial number of the new physical device; unique among the devices in service of the organisation.
    #[oai(validator(min_length = 1, max_length = 100))]
    serial_number: String,
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
    /// Days, 1 to 3,650, and not beyond the end of the root certificate; defaults to 365.
    #[oai(nullable)]
    certificate_validity_days: Option<u32>,
    /// A certificate signing request of the new physical device, PEM; if absent, the platform generates its key.
    #[oai(nullable)]
    csr: Option<String>,
    /// Whether to issue a certificate; if not, the new physical device enrols with a claim code. Defaults to true.
    #[oai(nullable)]
    issue_certificate: Option<bool>,
    /// Whether the bundle can also be downloaded by a link, for which it is kept encrypted for 15 minutes. Defaults to
    /// true.
    #[oai(nullable)]
    download_link: Option<bool>,
}

impl ReplaceDevice {
    fn replacement(self) -> Result<Replacement, Problem> {
        let days = self.certificate_validity_days.unwrap_or(USUAL_VALIDITY_DAYS);
        let certificate = match RequestedCertificate::from_fields(self.csr, self.issue_certificate)? {
            RequestedCertificate::None => ReplacementCertificate::None,
            RequestedCertificate::GeneratedKey => ReplacementCertificate::Here { days },
            RequestedCertificate::SigningRequest(csr_pem) => ReplacementCertificate::Request { csr_pem, days },
        };
        Ok(Replacement { serial_number: self.serial_number, reason: self.reason, certificate })
    }
}

#[OpenApi]
impl Api {
    /// Replace the physical device
    ///
    /// Name, attributes, links and history are kept. The old device's certificates, HTTP tokens and claim code end at
    /// once, and its session with them; its serial number becomes free.
    #[oai(path = "/devices/:id/replace", method = "post", tag = "Tag::Devices", operation_id = "replaceDevice")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<ReplaceDevice>,
    ) -> Result<Revised<EquippedDevice>, Problem> {
        let (device, link) = (DeviceId(id.0), body.0.download_link.unwrap_or(true));
        let new = body.0.replacement()?;
        let replaced = state.commands.replace_device(&intent.context(&caller), device, new).await?;
        let certificate = match replaced.certificate {
            Some(issued) => Some(IssuedCertificate::with_link(&state, &caller, device, issued, link).await),
            None => None,
        };
        let device = after_issue(&state, &caller, device, replaced.receipt).await?;
        Ok(Revised(EquippedDevice { device, certificate }, Some(replaced.receipt)))
    }
}
