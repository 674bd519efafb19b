//! Decommissions a device: first the device, so that no new certificate is issued, then its certificates; last its serial
//! number is released, so that whatever registers with it next finds the certificates revoked.

use domain::certificate::RevocationCode;
use domain::device::{Device, DeviceCommand};
use domain::ids::DeviceId;

use super::refusal::Refusal;
use super::revoke::RevokedCertificates;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;

/// A decommissioned device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecommissionedDevice {
    /// The receipt of the process's last event.
    pub receipt: Receipt,
    /// The certificates that were revoked with it.
    pub revoked: RevokedCertificates,
}

impl Commands {
    /// Takes a device out of service permanently, revokes its certificates and releases its serial number. If
    /// interrupted, any repeat completes it.
    pub async fn decommission_device(
        &self,
        context: &CommandContext,
        device: DeviceId,
        reason: &str,
    ) -> Result<DecommissionedDevice, Error<Refusal>> {
        let command = DeviceCommand::DecommissionDevice { reason: reason.to_owned() };
        let ended = self.execute::<Device>(&context.step("decommission device"), device.0, command).await;
        let ended = ended.map_err(|error| error.map_refused(Refusal::Device))?;
        let revoked = self.revoke_certificates(context, device, reason, RevocationCode::CessationOfOperation).await?;
        self.release_serial_number(context, device).await?;
        let receipt = revoked.last_receipt().filter(|last| last.position > ended.position).unwrap_or(ended);
        Ok(DecommissionedDevice { receipt, revoked })
    }
}
