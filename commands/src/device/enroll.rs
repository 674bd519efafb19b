//! Enrols a device: it presents a claim code and its serial number, and gets a certificate for its own key.

use domain::device::{Device, DeviceCommand, Error as DeviceRefusal};
use domain::ids::{DeviceId, OrganizationId, derive};
use domain::metadata::Actor;
use uuid::Uuid;

use super::claim_code::profile_of;
use super::issue::{IssuedCertificate, KeySource};
use super::refusal::Refusal;
use super::renew_by_certificate::digest;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::Error;

/// Days of validity of an enrolment certificate.
const VALIDITY_DAYS: u32 = 365;

/// An enrolled device with its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// Its certificate; the key never left the device.
    pub certificate: IssuedCertificate,
    /// The receipt of the certificate's event.
    pub receipt: Receipt,
}

impl Commands {
    /// Redeems a claim code and issues a certificate for the key of a PEM signing request. A device that missed the
    /// response gets the same certificate for the same request; for another request, the code counts as used. Earlier
    /// certificates of the device stay valid for the organisation's overlap.
    pub async fn enroll(
        &self,
        code: &str,
        serial_number: &str,
        csr_pem: &str,
        correlation_id: Uuid,
    ) -> Result<Enrolled, Error<Refusal>> {
        let wrong = || Error::Refused(Refusal::Device(DeviceRefusal::WrongClaimCode));
        let code = certs::claim_code::digest_of(code).ok_or_else(wrong)?;
        let (organization, device) = self.device_of_claim_code(&code).await?;
        let context = CommandContext {
            actor: Actor::Device(device),
            organization,
            command_id: derive(device.0, &["enroll", &code, &digest(csr_pem)]),
            correlation_id,
            causation_id: None,
            traceparent: None,
        };
        let using = context.step("use claim code");
        let loaded = self.load_fresh::<Device>(organization, device.0).await.map_err(Error::widen)?;
        let profile = profile_of(&loaded.state)?;
        if profile.serial_number != serial_number.trim() {
            return Err(wrong());
        }
        let active = self.active_organization(organization).await;
        let policy = active.map_err(|error| error.map_refused(Refusal::Organization))?.certificate_policy;
        // A repeat of this enrolment has used the code already, so the code is checked only on the first attempt.
        if recent_receipt(&loaded, using.command_id).is_none() {
            let holds = loaded.state.check_claim_code(&code, self.now());
            holds.map_err(|refusal| Error::Refused(Refusal::Device(refusal)))?;
        }
        // Sign before the code is used: a refused signing request must not use up the code.
        let key = KeySource::Csr { pem: csr_pem, serial_number: Some(&profile.serial_number) };
        self.sign_certificate(organization, device, key, VALIDITY_DAYS).await?;
        let command = DeviceCommand::UseClaimCode { digest: code, now: self.now() };
        let used = self.execute::<Device>(&using, device.0, command).await;
        used.map_err(|error| error.map_refused(Refusal::Device))?;
        let (certificate, receipt) = self.issue_another(&context, device, key, VALIDITY_DAYS).await?;
        let overlap_ends_at = self.now() + chrono::TimeDelta::days(policy.overlap_days.into());
        self.supersede(&context, device, certificate.id, Some(overlap_ends_at)).await?;
        Ok(Enrolled { organization, device, certificate, receipt })
    }
}
