//! Puts another physical device in the place of the old one.

use commands::{Replacement, ReplacementCertificate};
use domain::ids::DeviceId;

use super::create::shown;
use super::issued_certificate::{EquippedDevice, IssuedCertificate, USUAL_VALIDITY_DAYS};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// What takes its place, and why.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ReplaceDevice {
    /// Of the new physical device; unique in the organisation.
    serial_number: String,
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
    /// 1 to 3650; 365 by default.
    #[oai(nullable)]
    certificate_validity_days: Option<u32>,
    /// A PEM signing request of the new physical device. Without one, its key is made here.
    #[oai(nullable)]
    csr: Option<String>,
    /// Whether a certificate is issued at all; without one the new physical device is to enrol with a claim code. True by
    /// default.
    #[oai(nullable)]
    issue_certificate: Option<bool>,
    /// Whether the bundle may be fetched by a link too, and waits encrypted for 15 minutes. True by default.
    #[oai(nullable)]
    download_link: Option<bool>,
}

impl ReplaceDevice {
    fn replacement(self) -> Result<Replacement, Problem> {
        let days = self.certificate_validity_days.unwrap_or(USUAL_VALIDITY_DAYS);
        let certificate = match (self.csr, self.issue_certificate.unwrap_or(true)) {
            (Some(_), false) => {
                return Err(Problem::field("csr", "must be left out where issueCertificate is false"));
            }
            (None, false) => ReplacementCertificate::None,
            (None, true) => ReplacementCertificate::Here { days },
            (Some(csr_pem), true) => ReplacementCertificate::Request { csr_pem, days },
        };
        Ok(Replacement { serial_number: self.serial_number, reason: self.reason, certificate })
    }
}

#[OpenApi]
impl Api {
    /// Replace a device by another physical one
    ///
    /// Name, attributes, links and history stay. Certificates, HTTP tokens and claim code of the old one end at once, and
    /// its session with them; its serial number is free again.
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
        let device = shown(&state, &caller, device, replaced.receipt).await?;
        Ok(Revised(EquippedDevice { device, certificate }, Some(replaced.receipt)))
    }
}
