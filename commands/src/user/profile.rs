//! Reads personal data: decrypts the sealed texts with the person's key.

use std::fmt;

use domain::EncryptedText;
use domain::ids::{OrganizationId, UserId};
use domain::user::{AccessRole, Profile, User};

use crate::commands::Commands;
use crate::error::Error;
use crate::vault::Field;

/// A user with decrypted personal data. `Debug` shows no personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct UserProfile {
    /// The user.
    pub user: UserId,
    /// Their organisation.
    pub organization: OrganizationId,
    /// E-mail address; empty once erased.
    pub email: String,
    /// Name; empty once erased.
    pub name: String,
    /// Their access role.
    pub access_role: AccessRole,
    /// Roles that work is assigned to.
    pub work_roles: Vec<String>,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Whether their personal data is erased.
    pub is_erased: bool,
    /// Version of the aggregate.
    pub version: u64,
}

impl fmt::Debug for UserProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserProfile").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Commands {
    /// Returns a user of an organisation with decrypted name and address; `None` if the organisation has no such user.
    pub async fn user_profile(&self, organization: OrganizationId, user: UserId) -> Result<Option<UserProfile>, Error> {
        let known =
            self.load_cached_with_version::<User>(organization, user.0, |known| known.profile.is_some()).await?;
        let (version, is_active, is_erased) = (known.version, known.state.is_active(), known.state.erased);
        let Some(profile) = known.state.profile else { return Ok(None) };
        let (email, name) = self.opened(user, &profile).await?;
        let (access_role, work_roles) = (profile.access_role, profile.work_roles);
        Ok(Some(UserProfile {
            user,
            organization,
            email,
            name,
            access_role,
            work_roles,
            is_active,
            is_erased,
            version,
        }))
    }

    /// Seals a name for the command `RenameUser`; `None` if it does not have 1 to 200 characters or the user is erased.
    pub async fn seal_name(&self, user: UserId, name: &str) -> Result<Option<EncryptedText>, Error> {
        let Some(name) = domain::validation::name(name) else { return Ok(None) };
        match self.inner.vault.person_key(user).await? {
            Some(key) => key.seal(Field::Name, &name).map(Some),
            None => Ok(None),
        }
    }

    /// Decrypts a person's address and name; both are empty once they are erased.
    pub(super) async fn opened(&self, user: UserId, profile: &Profile) -> Result<(String, String), Error> {
        let key = self.inner.vault.person_key(user).await?;
        let open =
            |field, sealed: &EncryptedText| key.as_ref().and_then(|key| key.open(field, sealed)).unwrap_or_default();
        Ok((open(Field::Email, &profile.email), open(Field::Name, &profile.name)))
    }
}
