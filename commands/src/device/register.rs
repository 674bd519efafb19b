//! Registers a device: claims its serial number, adds it, issues its first certificate.

use domain::Decide;
use domain::device::{Device, DeviceCommand, serial_number_of};
use domain::ids::{DeviceId, DeviceTypeId};
use serde_json::Value;

use super::issue::{IssuedCertificate, KeySource, SignedCertificate};
use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::Error;
use crate::unique_claim::Key;

/// The definition of a new device.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDevice {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// The manufacturer's serial number, 1 to 100 characters, unique in the organisation.
    pub serial_number: String,
    /// Its type.
    pub device_type_id: DeviceTypeId,
    /// Free attributes: a JSON object.
    pub custom_attributes: Value,
    /// Days of validity of its first certificate, 1 to 3,650.
    pub certificate_validity_days: u32,
}

/// A registered device with its first certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredDevice {
    /// The device.
    pub device_id: DeviceId,
    /// Its first certificate.
    pub certificate: IssuedCertificate,
    /// The receipt of the process's last event.
    pub receipt: Receipt,
    /// Whether an earlier attempt of the same command registered it.
    pub repeated: bool,
}

/// A registered device that has no certificate yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDevice {
    /// The device.
    pub device_id: DeviceId,
    /// The receipt of its event.
    pub receipt: Receipt,
    /// Whether an earlier attempt of the same command registered it.
    pub repeated: bool,
}

impl Commands {
    /// Registers a device in the context's organisation and issues its first certificate. If interrupted, a repeat with
    /// the same command id completes it; until then the serial number stays claimed. A repeat of a completed
    /// registration returns the same result without the private key.
    pub async fn register_device(
        &self,
        context: &CommandContext,
        new: NewDevice,
    ) -> Result<RegisteredDevice, Error<Refusal>> {
        self.register_with(context, new, KeySource::Generate).await
    }

    /// Registers a device like [`Commands::register_device`], with a certificate for the key of a PEM signing request.
    pub async fn register_device_for_key(
        &self,
        context: &CommandContext,
        new: NewDevice,
        csr_pem: &str,
    ) -> Result<RegisteredDevice, Error<Refusal>> {
        let serial_number = new.serial_number.trim().to_owned();
        let key = KeySource::Csr { pem: csr_pem, serial_number: Some(&serial_number) };
        self.register_with(context, new, key).await
    }

    /// Registers a device without a certificate: it enrols later with a claim code.
    pub async fn register_pending_device(
        &self,
        context: &CommandContext,
        new: NewDevice,
    ) -> Result<PendingDevice, Error<Refusal>> {
        let (device_id, receipt, _) = self.add_device(context, new, None).await?;
        Ok(PendingDevice { device_id, receipt, repeated: receipt.repeated })
    }

    async fn register_with(
        &self,
        context: &CommandContext,
        new: NewDevice,
        key: KeySource<'_>,
    ) -> Result<RegisteredDevice, Error<Refusal>> {
        let (device_id, registered, prepared) = self.add_device(context, new, Some(key)).await?;
        let prepared = prepared.ok_or(Error::Refused(Refusal::NoAuthority))?;
        let (certificate, receipt) = self.issue(&context.step("issue certificate"), device_id, prepared).await?;
        Ok(RegisteredDevice { device_id, certificate, receipt, repeated: registered.repeated })
    }

    /// Adds the device. A certificate for `key` is signed before anything is stored, so that a refusal leaves nothing
    /// behind.
    async fn add_device(
        &self,
        context: &CommandContext,
        new: NewDevice,
        key: Option<KeySource<'_>>,
    ) -> Result<(DeviceId, Receipt, Option<SignedCertificate>), Error<Refusal>> {
        let device_id = DeviceId(context.created_id("device"));
        let step = context.step("register device");
        let days = new.certificate_validity_days;
        let command = command(new);
        let before = self.device_before(&step, device_id).await?;
        // A repeat of a stored registration skips the checks, which may fail by now: the organisation may be suspended.
        if before.is_none() {
            check(&command).map_err(Error::Refused)?;
            self.active_organization(context.organization).await.map_err(|e| e.map_refused(Refusal::Organization))?;
        }
        let prepared = match key {
            Some(key) => Some(self.sign_certificate(context.organization, device_id, key, days).await?),
            None => None,
        };
        let registered = match before {
            Some(receipt) => receipt,
            None => self.claim_and_add(context, &step, device_id, command).await?,
        };
        Ok((device_id, registered, prepared))
    }

    async fn device_before(&self, step: &CommandContext, device: DeviceId) -> Result<Option<Receipt>, Error<Refusal>> {
        let loaded = self.load_fresh::<Device>(step.organization, device.0).await.map_err(Error::widen)?;
        Ok(recent_receipt(&loaded, step.command_id))
    }

    async fn claim_and_add(
        &self,
        context: &CommandContext,
        step: &CommandContext,
        device: DeviceId,
        command: DeviceCommand,
    ) -> Result<Receipt, Error<Refusal>> {
        let serial_number = check(&command).map_err(Error::Refused)?;
        let key = Key::serial_number(context.organization, &serial_number);
        self.claim_serial_number(context, key, device).await?;
        let added = self.execute::<Device>(step, device.0, command).await;
        // Release the serial number only if the device is certainly not stored: otherwise a repeat needs the claim.
        if added.as_ref().is_err_and(Error::is_definite) {
            self.release(context, key, device.0).await.map_err(Error::widen)?;
        }
        added.map_err(|error| error.map_refused(Refusal::Device))
    }
}

fn command(new: NewDevice) -> DeviceCommand {
    DeviceCommand::RegisterDevice {
        name: new.name,
        description: new.description,
        serial_number: new.serial_number,
        device_type_id: new.device_type_id,
        custom_attributes: new.custom_attributes,
    }
}

/// Decides the command as for a new device, so that no serial number is claimed for an invalid one. Returns the serial
/// number as it will be stored.
fn check(command: &DeviceCommand) -> Result<String, Refusal> {
    Device::default().decide(command.clone()).map_err(Refusal::Device)?;
    match command {
        DeviceCommand::RegisterDevice { serial_number, .. } => serial_number_of(serial_number),
        _ => None,
    }
    .ok_or(Refusal::Device(domain::device::Error::InvalidSerialNumber))
}
