//! Serial numbers, unique among the devices in service of an organisation. Each is claimed by its device, and free again
//! once the device is decommissioned or replaced. A holder that is decommissioned is treated as none: its
//! decommissioning may have been interrupted, or be older than this rule.

use domain::device::Device;
use domain::ids::{DeviceId, OrganizationId};
use domain::unique_key::UniqueKey;
use eventlog::store::Loaded;

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;
use crate::unique_claim::{Claim, Key, device_holder};

impl Commands {
    /// Claims a serial number for a device; refuses one that another device in service holds.
    pub(super) async fn claim_serial_number(
        &self,
        context: &CommandContext,
        key: Key,
        device: DeviceId,
    ) -> Result<(), Error<Refusal>> {
        let claimant = device_holder(context.organization, device);
        loop {
            let Claim::Taken(holder) = self.claim(context, key, claimant).await.map_err(Error::widen)? else {
                return Ok(());
            };
            if !self.is_decommissioned(context.organization, DeviceId(holder)).await.map_err(Error::widen)? {
                return Err(Error::Refused(Refusal::SerialNumberTaken { holder: DeviceId(holder) }));
            }
            self.release(context, key, holder).await.map_err(Error::widen)?;
        }
    }

    /// Loads the claims of a serial number, after releasing it if its holder is decommissioned.
    pub(super) async fn claims_of_serial_number(
        &self,
        context: &CommandContext,
        key: Key,
    ) -> Result<Loaded<UniqueKey>, Error> {
        let loaded = self.load_fresh::<UniqueKey>(context.organization, key.id).await?;
        match loaded.state.holder {
            Some(holder) if self.is_decommissioned(context.organization, DeviceId(holder.id)).await? => {
                self.release(context, key, holder.id).await?;
                self.load_fresh::<UniqueKey>(context.organization, key.id).await
            }
            _ => Ok(loaded),
        }
    }

    /// Releases the present serial number of a device.
    pub(super) async fn release_serial_number(
        &self,
        context: &CommandContext,
        device: DeviceId,
    ) -> Result<(), Error<Refusal>> {
        let state = self.load_fresh::<Device>(context.organization, device.0).await.map_err(Error::widen)?.state;
        let Some(profile) = state.profile else { return Ok(()) };
        let key = Key::serial_number(context.organization, &profile.serial_number);
        self.release(context, key, device.0).await.map_err(Error::widen)
    }

    /// Returns an organisation's device in service by its serial number, already trimmed.
    pub async fn device_of_serial_number(
        &self,
        organization: OrganizationId,
        serial_number: &str,
    ) -> Result<Option<DeviceId>, Error> {
        let key = Key::serial_number(organization, serial_number);
        let holder = self.load_fresh::<UniqueKey>(organization, key.id).await?.state.holder;
        match holder.map(|holder| DeviceId(holder.id)) {
            Some(device) if self.is_decommissioned(organization, device).await? => Ok(None),
            device => Ok(device),
        }
    }

    async fn is_decommissioned(&self, organization: OrganizationId, device: DeviceId) -> Result<bool, Error> {
        // Decommissioning is final, so a cached state may be trusted on it.
        let device = self.load_cached::<Device>(organization, device.0, |device| device.decommissioned).await?;
        Ok(device.decommissioned)
    }
}
