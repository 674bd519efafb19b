//! Checks that the resources a command refers to exist in the organisation and are in use.

use domain::activity_template::ActivityTemplate;
use domain::asset::Asset;
use domain::asset_type::AssetType;
use domain::catalogue::{ActivityType, AssetProfile, ProtocolConverter};
use domain::device::Device;
use domain::device_type::DeviceType;
use domain::ids::OrganizationId;
use domain::user::User;
use uuid::Uuid;

use crate::commands::Commands;
use crate::error::Error;
use crate::executable::Executable;
use crate::reference::Reference;

impl Commands {
    /// Returns the first reference that does not exist in the organisation or is no longer in use. A resource that
    /// another process retires at the same moment may be missed: the check helps users and is not an invariant.
    pub(crate) async fn first_missing(
        &self,
        organization: OrganizationId,
        references: &[Reference],
    ) -> Result<Option<Reference>, Error> {
        for reference in references {
            let usable = match *reference {
                Reference::DeviceType(id) => self.is_usable::<DeviceType>(organization, id.0).await?,
                Reference::Device(id) => self.is_usable::<Device>(organization, id.0).await?,
                Reference::AssetType(id) => self.is_usable::<AssetType>(organization, id.0).await?,
                Reference::AssetProfile(id) => self.is_usable::<AssetProfile>(organization, id.0).await?,
                Reference::ActivityType(id) => self.is_usable::<ActivityType>(organization, id.0).await?,
                Reference::ProtocolConverter(id) => self.is_usable::<ProtocolConverter>(organization, id.0).await?,
                Reference::Asset(id) => self.is_usable::<Asset>(organization, id.0).await?,
                Reference::ActivityTemplate(id) => self.is_usable::<ActivityTemplate>(organization, id.0).await?,
                Reference::User(id) => self.is_usable::<User>(organization, id.0).await?,
            };
            if !usable {
                return Ok(Some(*reference));
            }
        }
        Ok(None)
    }

    async fn is_usable<A: Executable>(&self, organization: OrganizationId, id: Uuid) -> Result<bool, Error> {
        Ok(self.load_cached::<A>(organization, id, A::is_usable).await?.is_usable())
    }
}
