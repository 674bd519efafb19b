//! Signs users in by address and password. An unknown address takes as long as a wrong password.

use std::fmt;

use domain::ids::{OrganizationId, UserId};
use domain::user::{AccessRole, User};

use crate::commands::Commands;
use crate::error::{Cause, Error};
use crate::unique_claim::Key;
use crate::vault::EmailAddress;

/// A signed-in user. `Debug` shows no personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// Their organisation.
    pub organization: OrganizationId,
    /// Their access role.
    pub access_role: AccessRole,
    /// Incremented whenever their sessions must end, for example on a change of password or role.
    pub access_version: u64,
    /// Roles that work is assigned to.
    pub work_roles: Vec<String>,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a sign-in is refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The address or the password is wrong; the message does not say which.
    #[error("e-mail address or password is wrong")]
    WrongCredentials,
    /// The password is right, but the user is deactivated.
    #[error("the user is deactivated")]
    Deactivated,
    /// The password is right, but the user's organisation is suspended.
    #[error("the organisation is suspended")]
    OrganizationSuspended,
    /// The log or the vault does not answer, or stored data is damaged.
    #[error("signing in is not possible at the moment")]
    Unavailable(#[source] Cause),
}

impl Commands {
    /// Verifies a password. An unknown address takes as long as a wrong password; only a caller that knows the password
    /// learns that the user is deactivated or the organisation suspended.
    pub async fn verify_password(&self, email: &str, password: &str) -> Result<SignedIn, SignInError> {
        let known = self.user_by_email(email).await.map_err(unavailable)?;
        let hash = match &known {
            Some((_, user, _)) => self.inner.vault.password_hash(*user).await.map_err(unavailable)?,
            None => None,
        };
        // Verify even without a hash, so that the response time does not reveal whether the address is known.
        let right = self.inner.vault.passwords.verify(password, hash).await.map_err(unavailable)?;
        let Some((organization, user, state)) = known.filter(|_| right) else {
            return Err(SignInError::WrongCredentials);
        };
        if !state.is_active() {
            return Err(SignInError::Deactivated);
        }
        match self.active_organization(organization).await {
            Ok(_) => {}
            Err(Error::Refused(_)) => return Err(SignInError::OrganizationSuspended),
            Err(error) => return Err(unavailable(error)),
        }
        self.signed_in(organization, user, state).await
    }

    /// Returns the keyed hash of an address, under which sign-in attempts are counted without storing the address;
    /// `None` if the text is not an address.
    pub fn email_hash(&self, email: &str) -> Result<Option<String>, Error> {
        let Some(address) = EmailAddress::parse(email) else { return Ok(None) };
        Ok(Some(self.inner.vault.email_hash(&address)?))
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(OrganizationId, UserId, User)>, Error> {
        let Some(address) = EmailAddress::parse(email) else { return Ok(None) };
        let Some(holder) = self.holder_of(Key::email(&self.inner.vault.email_hash(&address)?)).await? else {
            return Ok(None);
        };
        // Bypass the cache: a deactivation by another process must take effect at once.
        let state = self.load_fresh::<User>(holder.organization, holder.id).await?.state;
        Ok(state.profile.is_some().then_some((holder.organization, UserId(holder.id), state)))
    }

    pub(crate) async fn signed_in(
        &self,
        organization: OrganizationId,
        user: UserId,
        state: User,
    ) -> Result<SignedIn, SignInError> {
        let access_version = state.access_version;
        let profile = state.profile.ok_or(SignInError::WrongCredentials)?;
        let (email, name) = self.opened(user, &profile).await.map_err(unavailable)?;
        Ok(SignedIn {
            user,
            organization,
            access_role: profile.access_role,
            access_version,
            work_roles: profile.work_roles,
            name,
            email,
        })
    }
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(error: Error<E>) -> SignInError {
    SignInError::Unavailable(error.into())
}
