//! Replacement of the physical device. The logical device keeps its details and history; the old device's credentials
//! end.

use super::aggregate::{DeviceProfile, serial_number_of};
use super::{Device, DeviceEvent, Error};

impl Device {
    /// Decides on a replacement, which requires a device in service.
    pub(super) fn replace(
        &self,
        profile: &DeviceProfile,
        serial_number: &str,
        reason: String,
    ) -> Result<Vec<DeviceEvent>, Error> {
        let serial_number = serial_number_of(serial_number).ok_or(Error::InvalidSerialNumber)?;
        if serial_number == profile.serial_number {
            return Err(Error::SameSerialNumber);
        }
        let revoked = self
            .tokens
            .iter()
            .filter(|token| token.revoked.is_none())
            .map(|token| DeviceEvent::DeviceTokenRevoked { token_id: token.token_id, reason: reason.clone() });
        let withdrawn = self.claim_code.iter().filter(|code| !code.used);
        let withdrawn = withdrawn.map(|code| DeviceEvent::ClaimCodeWithdrawn { claim_code_id: code.claim_code_id });
        let revoked: Vec<_> = revoked.chain(withdrawn).collect();
        Ok([vec![DeviceEvent::DeviceReplaced { serial_number, reason }], revoked].concat())
    }

    pub(super) fn evolve_replaced(&mut self, serial_number: String) {
        if let Some(profile) = &mut self.profile {
            let former = std::mem::replace(&mut profile.serial_number, serial_number);
            // Lists each serial number once, and not the present one, even if an old device returns.
            self.former_serial_numbers.retain(|known| *known != profile.serial_number && *known != former);
            self.former_serial_numbers.push(former);
        }
    }
}
