//! Replaces a device: another physical device takes its place. Name, history and links stay; serial number,
//! certificates, tokens and claim code of the old one end.

use domain::Decide;
use domain::certificate::RevocationCode;
use domain::device::{Device, DeviceCommand, Error as DeviceRefusal, serial_number_of};
use domain::ids::DeviceId;

use super::issue::{IssuedCertificate, KeySource, SignedCertificate};
use super::refusal::Refusal;
use super::renew::latest_receipt;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::Error;
use crate::unique_claim::Key;

/// The physical device that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The manufacturer's serial number, 1 to 100 characters, unique in the organisation.
    pub serial_number: String,
    /// The reason that the user gives.
    pub reason: String,
    /// The certificate it gets.
    pub certificate: ReplacementCertificate,
}

/// The certificate that a replacement gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplacementCertificate {
    /// None: the device enrols later with a claim code.
    None,
    /// One for a generated key.
    Here {
        /// Days of validity, 1 to 3,650.
        days: u32,
    },
    /// One for the key of a PEM signing request.
    Request {
        /// The request.
        csr_pem: String,
        /// Days of validity, 1 to 3,650.
        days: u32,
    },
}

/// A replaced device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedDevice {
    /// The certificate of the new physical device, if it got one.
    pub certificate: Option<IssuedCertificate>,
    /// The receipt of the process's last event.
    pub receipt: Receipt,
}

impl Commands {
    /// Puts another physical device in the place of one in service. The old one's credentials end at once, and its
    /// serial number becomes free. If interrupted, a repeat with the same command id completes it.
    pub async fn replace_device(
        &self,
        context: &CommandContext,
        device: DeviceId,
        new: Replacement,
    ) -> Result<ReplacedDevice, Error<Refusal>> {
        self.active_organization(context.organization).await.map_err(|e| e.map_refused(Refusal::Organization))?;
        let step = context.step("replace device");
        let before = self.load_fresh::<Device>(context.organization, device.0).await.map_err(Error::widen)?;
        let replaced = recent_receipt(&before, step.command_id);
        let command = DeviceCommand::ReplaceDevice { serial_number: new.serial_number.clone(), reason: new.reason };
        if replaced.is_none() {
            // A dry run, so that an invalid replacement claims no serial number and revokes no certificate.
            let decided = before.state.decide(command.clone());
            decided.map_err(|refusal| Error::Refused(Refusal::Device(refusal)))?;
        }
        let prepared = self.prepare_replacement(context, device, &new.serial_number, &new.certificate).await?;
        let replaced = match replaced {
            Some(receipt) => receipt,
            None => self.claim_and_replace(context, &step, device, &new.serial_number, command).await?,
        };
        self.release_former(context, device).await?;
        let (certificate, receipt) = match prepared {
            None => (None, replaced),
            Some(prepared) => {
                let (certificate, issued) = self.issue(&context.step("issue certificate"), device, prepared).await?;
                // No overlap: any certificate issued since the revocation ends at once.
                let ended = self.supersede(context, device, certificate.id, Some(self.now())).await?;
                (Some(certificate), latest_receipt(replaced, Some(latest_receipt(issued, ended))))
            }
        };
        Ok(ReplacedDevice { certificate, receipt })
    }

    /// Signs the certificate before anything is stored, so that a refusal leaves nothing behind.
    async fn prepare_replacement(
        &self,
        context: &CommandContext,
        device: DeviceId,
        serial_number: &str,
        certificate: &ReplacementCertificate,
    ) -> Result<Option<SignedCertificate>, Error<Refusal>> {
        let (key, days) = match certificate {
            ReplacementCertificate::None => return Ok(None),
            ReplacementCertificate::Here { days } => (KeySource::Generate, *days),
            ReplacementCertificate::Request { csr_pem, days } => {
                (KeySource::Csr { pem: csr_pem, serial_number: Some(serial_number.trim()) }, *days)
            }
        };
        self.sign_certificate(context.organization, device, key, days).await.map(Some)
    }

    /// Claims the new serial number, revokes the old certificates, then records the replacement. In this order because
    /// a replacement may enrol as soon as it is recorded: if the certificates were revoked afterwards, a repeat would
    /// revoke the certificate it enrolled for.
    async fn claim_and_replace(
        &self,
        context: &CommandContext,
        step: &CommandContext,
        device: DeviceId,
        serial_number: &str,
        command: DeviceCommand,
    ) -> Result<Receipt, Error<Refusal>> {
        let invalid = || Error::Refused(Refusal::Device(DeviceRefusal::InvalidSerialNumber));
        let key = Key::serial_number(context.organization, &serial_number_of(serial_number).ok_or_else(invalid)?);
        self.claim_serial_number(context, key, device).await?;
        let reason = "another device took its place";
        self.revoke_certificates(context, device, reason, RevocationCode::Superseded).await?;
        let replaced = self.execute::<Device>(step, device.0, command).await;
        if replaced.as_ref().is_err_and(Error::is_definite) {
            self.release(context, key, device.0).await.map_err(Error::widen)?;
        }
        replaced.map_err(|error| error.map_refused(Refusal::Device))
    }

    /// Releases the serial numbers of earlier physical devices, which may return as other devices.
    async fn release_former(&self, context: &CommandContext, device: DeviceId) -> Result<(), Error<Refusal>> {
        let state = self.load_fresh::<Device>(context.organization, device.0).await.map_err(Error::widen)?.state;
        for former in state.former_serial_numbers {
            let key = Key::serial_number(context.organization, &former);
            self.release(context, key, device.0).await.map_err(Error::widen)?;
        }
        Ok(())
    }
}
