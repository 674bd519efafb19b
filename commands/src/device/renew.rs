//! Renews certificates: issues another one for a device in service. The existing ones stay valid for an overlap, so
//! that the device can switch; then they are revoked as superseded.

use chrono::TimeDelta;
use domain::certificate::{Certificate, CertificateCommand, RevocationCode};
use domain::device::{Device, DeviceProfile, Error as DeviceRefusal};
use domain::ids::DeviceId;
use domain::organization::MAX_OVERLAP_DAYS;

use super::issue::{IssuedCertificate, KeySource};
use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;

/// The options of a renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Days of validity, 1 to 3,650.
    pub validity_days: u32,
    /// A PEM signing request for the key; without one, a key is generated.
    pub csr_pem: Option<String>,
    /// Days for which the existing certificates stay valid; if absent, the organisation's setting applies.
    pub overlap_days: Option<u32>,
}

impl From<u32> for Renewal {
    /// Returns a renewal for this many days, with a generated key and the organisation's overlap.
    fn from(validity_days: u32) -> Self {
        Self { validity_days, ..Self::default() }
    }
}

/// A certificate that supersedes a device's earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewedCertificate {
    /// The certificate.
    pub certificate: IssuedCertificate,
    /// The receipt of the process's last event.
    pub receipt: Receipt,
}

impl Commands {
    /// Issues another certificate for a device in service; the existing ones stay valid for an overlap. A repeat
    /// returns the same certificate without the private key.
    pub async fn renew_certificate(
        &self,
        context: &CommandContext,
        device: DeviceId,
        renewal: impl Into<Renewal>,
    ) -> Result<RenewedCertificate, Error<Refusal>> {
        let renewal = renewal.into();
        let organization = self.active_organization(context.organization).await;
        let policy = organization.map_err(|e| e.map_refused(Refusal::Organization))?.certificate_policy;
        let overlap_days = renewal.overlap_days.unwrap_or(policy.overlap_days);
        if overlap_days > MAX_OVERLAP_DAYS {
            return Err(Error::Refused(Refusal::InvalidOverlap { days: overlap_days }));
        }
        let profile = self.device_in_service(context, device).await?;
        let serial_number = Some(profile.serial_number.as_str());
        let key = match &renewal.csr_pem {
            Some(pem) => KeySource::Csr { pem, serial_number },
            None => KeySource::Generate,
        };
        let overlap_ends_at = self.now() + TimeDelta::days(overlap_days.into());
        let (certificate, issued) = self.issue_another(context, device, key, renewal.validity_days).await?;
        let superseded = self.supersede(context, device, certificate.id, Some(overlap_ends_at)).await?;
        Ok(RenewedCertificate { certificate, receipt: latest_receipt(issued, superseded) })
    }

    /// Issues another certificate for a device in service and leaves the existing ones as they are.
    pub(super) async fn issue_another(
        &self,
        context: &CommandContext,
        device: DeviceId,
        key: KeySource<'_>,
        days: u32,
    ) -> Result<(IssuedCertificate, Receipt), Error<Refusal>> {
        let prepared = self.sign_certificate(context.organization, device, key, days).await?;
        let (certificate, receipt) = self.issue(&context.step("issue certificate"), device, prepared).await?;
        // A concurrent decommissioning may have missed the new certificate. Checking again after the issue closes the
        // gap: either the decommissioning sees the certificate, or this check sees the decommissioning.
        if let Err(error) = self.device_in_service(context, device).await {
            self.revoke_after_decommission(context, &certificate).await?;
            return Err(error);
        }
        Ok((certificate, receipt))
    }

    /// Returns the profile of a device, or refuses one that does not exist or is decommissioned.
    pub(super) async fn device_in_service(
        &self,
        context: &CommandContext,
        device: DeviceId,
    ) -> Result<DeviceProfile, Error<Refusal>> {
        let state = self.load_fresh::<Device>(context.organization, device.0).await.map_err(Error::widen)?.state;
        let refusal = match (state.profile, state.decommissioned) {
            (None, _) => DeviceRefusal::NotFound,
            (_, true) => DeviceRefusal::Decommissioned,
            (Some(profile), false) => return Ok(profile),
        };
        Err(Error::Refused(Refusal::Device(refusal)))
    }

    async fn revoke_after_decommission(
        &self,
        context: &CommandContext,
        certificate: &IssuedCertificate,
    ) -> Result<(), Error<Refusal>> {
        let command = CertificateCommand::RevokeCertificate {
            reason: "the device was decommissioned meanwhile".to_owned(),
            code: RevocationCode::CessationOfOperation,
        };
        let step = context.step(&format!("revoke {}", certificate.id));
        match self.execute::<Certificate>(&step, certificate.id.0, command).await {
            Ok(_) | Err(Error::Refused(domain::certificate::Error::AlreadyRevoked)) => Ok(()),
            Err(error) => Err(error.map_refused(Refusal::Certificate)),
        }
    }
}

/// Returns the receipt of a process: the position of its last event, and whether its first step was a repeat.
pub(super) fn latest_receipt(first: Receipt, then: Option<Receipt>) -> Receipt {
    match then {
        Some(then) if then.position > first.position => Receipt { repeated: first.repeated, ..then },
        _ => first,
    }
}
