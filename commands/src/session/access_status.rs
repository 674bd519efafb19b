//! Checks whether the user of an access token may still use it, from the caches that follow the log: a change takes
//! effect in a process as soon as the process reads it from the log, which takes milliseconds.

use domain::ids::{OrganizationId, UserId};
use domain::user::User;

use crate::commands::Commands;
use crate::error::Error;

/// Whether a user's access has changed since they signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessStatus {
    /// Unchanged.
    Unchanged,
    /// Password, role or access has changed: the user must sign in again.
    Changed,
    /// The user is deactivated.
    Deactivated,
    /// The user's organisation is suspended.
    OrganizationSuspended,
}

impl Commands {
    /// Returns the access status of a user who signed in at this access version.
    pub async fn access_status(
        &self,
        organization: OrganizationId,
        user: UserId,
        access_version: u64,
    ) -> Result<AccessStatus, Error> {
        // A token may be newer than the cache: any other state is loaded fresh before the token is refused.
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

    /// Returns whether the organisation exists, suspended or not.
    pub async fn is_organization(&self, organization: OrganizationId) -> Result<bool, Error> {
        use domain::organization::Organization;
        let known = self.load_cached::<Organization>(organization, organization.0, |known| known.name.is_some());
        Ok(known.await?.name.is_some())
    }
}
