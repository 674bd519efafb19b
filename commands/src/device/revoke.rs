//! Revokes certificates of a device.

use domain::certificate::{Certificate, CertificateCommand, Error as CertificateRefusal, RevocationCode};
use domain::device::{Device, Error as DeviceRefusal};
use domain::ids::{CertificateId, DeviceId};

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::Error;

/// The certificates that a command revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedCertificates {
    /// Each certificate with the receipt of its revocation, in order of issue; empty if there was none to revoke.
    pub certificates: Vec<(CertificateId, Receipt)>,
}

impl RevokedCertificates {
    /// Returns the receipt of the last revocation.
    pub fn last_receipt(&self) -> Option<Receipt> {
        self.certificates.iter().map(|(_, receipt)| *receipt).max_by_key(|receipt| receipt.position)
    }
}

impl Commands {
    /// Revokes every certificate of a device that is not revoked yet. A repeat also returns those that the same command
    /// id revoked before, and revokes any that it had not reached.
    pub async fn revoke_certificates(
        &self,
        context: &CommandContext,
        device: DeviceId,
        reason: &str,
        code: RevocationCode,
    ) -> Result<RevokedCertificates, Error<Refusal>> {
        if self.load::<Device>(context.organization, device.0).await.map_err(Error::widen)?.is_none() {
            return Err(Error::Refused(Refusal::Device(DeviceRefusal::NotFound)));
        }
        let all = self.certificates_of(context.organization, device).await.map_err(Error::widen)?;
        let mut certificates = vec![];
        for (id, loaded) in all {
            let step = context.step(&format!("revoke {id}"));
            if let Some(receipt) = recent_receipt(&loaded, step.command_id) {
                certificates.push((id, receipt));
            } else if loaded.state.revoked.is_none() {
                certificates.extend(self.revoke(&step, id, reason, code).await?.map(|receipt| (id, receipt)));
            }
        }
        Ok(RevokedCertificates { certificates })
    }

    /// Revokes one certificate of a device. A repeat returns the same result.
    pub async fn revoke_certificate(
        &self,
        context: &CommandContext,
        device: DeviceId,
        certificate: CertificateId,
        reason: &str,
        code: RevocationCode,
    ) -> Result<RevokedCertificates, Error<Refusal>> {
        let found = self.load::<Certificate>(context.organization, certificate.0).await.map_err(Error::widen)?;
        let issued = found.and_then(|(known, _)| known.issued);
        if issued.is_none_or(|issued| issued.device_id != device) {
            return Err(Error::Refused(Refusal::Certificate(CertificateRefusal::NotFound)));
        }
        let step = context.step(&format!("revoke {certificate}"));
        let revoked = self.revoke(&step, certificate, reason, code).await?;
        Ok(RevokedCertificates { certificates: revoked.map(|receipt| (certificate, receipt)).into_iter().collect() })
    }

    /// Revokes one certificate; returns `None` if another command has revoked it already.
    pub(super) async fn revoke(
        &self,
        step: &CommandContext,
        id: CertificateId,
        reason: &str,
        code: RevocationCode,
    ) -> Result<Option<Receipt>, Error<Refusal>> {
        self.block_compromised_key(step, id, code).await?;
        let command = CertificateCommand::RevokeCertificate { reason: reason.to_owned(), code };
        match self.execute::<Certificate>(step, id.0, command).await {
            Ok(receipt) => Ok(Some(receipt)),
            Err(Error::Refused(CertificateRefusal::AlreadyRevoked)) => Ok(None),
            Err(error) => Err(error.map_refused(Refusal::Certificate)),
        }
    }
}
