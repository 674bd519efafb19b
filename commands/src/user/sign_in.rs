//! Signing in by address and password, with the same effort whether or not the address is known.

use std::fmt;

use domain::ids::{OrganizationId, UserId};
use domain::user::{AccessRole, User};

use crate::commands::Commands;
use crate::error::{Cause, Error};
use crate::unique_claim::Key;
use crate::vault::EmailAddress;

/// Who signed in. `Debug` shows no personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// Their organisation.
    pub organization: OrganizationId,
    /// What they may do.
    pub access_role: AccessRole,
    /// How often what lets them in has changed.
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
    /// Address or password is wrong; it is not said which.
    #[error("e-mail address or password is wrong")]
    WrongCredentials,
    /// The right password of a user whose access has ended.
    #[error("the user is deactivated")]
    Deactivated,
    /// The right password of a user whose organisation is suspended.
    #[error("the organisation is suspended")]
    OrganizationSuspended,
    /// It cannot be found out now.
    #[error("signing in is not possible now")]
    Unavailable(#[source] Cause),
}

impl Commands {
    /// Verifies a password. Unknown addresses take as long as wrong passwords; only who knows the password learns that
    /// the user is deactivated or the organisation suspended.
    pub async fn verify_password(&self, email: &str, password: &str) -> Result<SignedIn, SignInError> {
        let known = self.user_by_email(email).await.map_err(unavailable)?;
        let hash = match &known {
            Some((_, user, _)) => self.inner.vault.password_hash(*user).await.map_err(unavailable)?,
            None => None,
        };
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

    /// Returns the keyed hash of an address, by which attempts to sign in are counted without storing it; `None` where
    /// the text is no address.
    pub fn email_hash(&self, email: &str) -> Result<Option<String>, Error> {
        let Some(address) = EmailAddress::parse(email) else { return Ok(None) };
        Ok(Some(self.inner.vault.email_hash(&address)?))
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(OrganizationId, UserId, User)>, Error> {
        let Some(address) = EmailAddress::parse(email) else { return Ok(None) };
        let Some(holder) = self.holder_of(Key::email(&self.inner.vault.email_hash(&address)?)).await? else {
            return Ok(None);
        };
        // Always fresh: a deactivation by another process counts at once.
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
