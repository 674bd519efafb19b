//! Whether who was given an access token may still use it. Answered from the caches that follow the log: what ends
//! access counts as soon as it is read there, milliseconds later in every process.

use domain::ids::{OrganizationId, UserId};
use domain::user::User;

use crate::commands::Commands;
use crate::error::Error;

/// How a user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessStatus {
    /// As they did when they signed in.
    Unchanged,
    /// Password, role or access changed since: they must sign in again.
    Changed,
    /// Their access has ended.
    Deactivated,
    /// Their organisation is suspended.
    OrganizationSuspended,
}

impl Commands {
    /// Tells how a user stands who signed in at this count of changes.
    pub async fn access_status(
        &self,
        organization: OrganizationId,
        user: UserId,
        access_version: u64,
    ) -> Result<AccessStatus, Error> {
        let unchanged = |known: &User| known.is_active() && known.access_version == access_version;
        let state = self.load_cached::<User>(organization, user.0, unchanged).await?;
        if !state.is_active() {
            return Ok(AccessStatus::Deactivated);
        }
        if state.access_version != access_version {
            return Ok(AccessStatus::Changed);
        }
        match self.active_organization(organization).await {
            Ok(_) => Ok(AccessStatus::Unchanged),
            Err(Error::Refused(_)) => Ok(AccessStatus::OrganizationSuspended),
            Err(error) => Err(error.without_refusal()),
        }
    }

    /// Tells whether there is such an organisation, suspended or not.
    pub async fn is_organization(&self, organization: OrganizationId) -> Result<bool, Error> {
        use domain::organization::Organization;
        let known = self.load_cached::<Organization>(organization, organization.0, |known| known.name.is_some());
        Ok(known.await?.name.is_some())
    }
}
