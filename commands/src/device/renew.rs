//! Renewing: another certificate for a device in service. The present ones stay valid, so that the device can change over.

use domain::certificate::{Certificate, CertificateCommand, RevocationCode};
use domain::device::{Device, Error as DeviceRefusal};
use domain::ids::DeviceId;

use super::{IssuedCertificate, Refusal};
use crate::context::{CommandContext, Receipt};
use crate::error::Error;
use crate::open::Commands;

/// A certificate issued beside those a device has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewedCertificate {
    /// The certificate.
    pub certificate: IssuedCertificate,
    /// Where its event stands.
    pub receipt: Receipt,
}

impl Commands {
    /// Issues another certificate for a device in service, valid `validity_days` (1 to 3,650). A repeat gives the same
    /// certificate without the private key.
    pub async fn renew_certificate(
        &self,
        context: &CommandContext,
        device: DeviceId,
        validity_days: u32,
    ) -> Result<RenewedCertificate, Error<Refusal>> {
        self.active_organization(context.organization).await.map_err(|e| e.map_refused(Refusal::Organization))?;
        self.device_in_service(context, device).await?;
        let prepared = self.prepare_certificate(context.organization, device, validity_days).await?;
        let (certificate, receipt) = self.issue(&context.step("issue certificate"), device, prepared).await?;
        // A decommissioning at the same time may have missed the new certificate; one of both sees the other.
        if let Err(error) = self.device_in_service(context, device).await {
            self.take_back(context, &certificate).await?;
            return Err(error);
        }
        Ok(RenewedCertificate { certificate, receipt })
    }

    async fn device_in_service(&self, context: &CommandContext, device: DeviceId) -> Result<(), Error<Refusal>> {
        let state = self.load_fresh::<Device>(context.organization, device.0).await.map_err(Error::widen)?.state;
        let refusal = match (&state.profile, state.decommissioned) {
            (None, _) => DeviceRefusal::NotFound,
            (_, true) => DeviceRefusal::Decommissioned,
            (Some(_), false) => return Ok(()),
        };
        Err(Error::Refused(Refusal::Device(refusal)))
    }

    async fn take_back(&self, context: &CommandContext, certificate: &IssuedCertificate) -> Result<(), Error<Refusal>> {
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
