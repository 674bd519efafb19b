//! Bootstraps an installation: creates the first organisation and its administrator.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use domain::ids::{OrganizationId, UserId, derive};
use domain::organization::Error as OrganizationRefusal;
use domain::user::{AccessRole, User};
use uuid::{Uuid, uuid};

use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;
use crate::organization::FoundOrganization;
use crate::random;
use crate::user::{NewUser, Refusal};

/// Namespace of all ids of the bootstrap, so that every start derives the same ids.
const FIRST_START: Uuid = uuid!("3c9a5f0e-51d4-4f7c-9a86-1e0d7b64c2f5");
/// The name of the first organisation.
const FIRST_ORGANIZATION: &str = "Argusiq";

/// The first organisation and its administrator. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Bootstrapped {
    /// The first organisation.
    pub organization: OrganizationId,
    /// Its administrator, who has the access role `PlatformAdmin`.
    pub user: UserId,
    /// The administrator's generated password: returned at every start until another password is set.
    pub generated_password: Option<String>,
}

impl fmt::Debug for Bootstrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { organization, user, .. } = self;
        f.debug_struct("Bootstrapped").field("organization", organization).field("user", user).finish_non_exhaustive()
    }
}

impl Commands {
    /// Founds the first organisation and registers the platform administrator, once. Later calls change nothing, even
    /// with another address or password; concurrent calls have the same result. Without a password, one is generated.
    pub async fn bootstrap(&self, email: &str, password: Option<&str>) -> Result<Bootstrapped, Error<Refusal>> {
        let organization = OrganizationId(derive(FIRST_START, &["organization"]));
        let context = CommandContext::system("bootstrap", organization, derive(FIRST_START, &["command"]));
        let user = UserId(context.created_id("user"));
        // A user can only be registered in an existing organisation.
        self.ensure_first_organization(&context, organization).await?;
        let administrator = self.load_fresh::<User>(organization, user.0).await.map_err(Error::widen)?;
        let vault = &self.inner.vault;
        if administrator.exists() {
            let generated_password = vault.generated_password().await.map_err(Error::widen)?;
            return Ok(Bootstrapped { organization, user, generated_password });
        }
        let generated_password = match password {
            Some(_) => None,
            None => Some(self.generate_password().await.map_err(Error::widen)?),
        };
        let new = NewUser {
            email: email.to_owned(),
            name: "Administrator".to_owned(),
            password: password.map(str::to_owned).or_else(|| generated_password.clone()).unwrap_or_default(),
            access_role: AccessRole::PlatformAdmin,
            work_roles: vec![],
        };
        self.register_user(&context, new).await?;
        Ok(Bootstrapped { organization, user, generated_password })
    }

    /// Deletes the generated password once the first administrator has set another.
    pub(crate) async fn forget_generated_password_of(&self, user: UserId) -> Result<(), Error> {
        let organization = OrganizationId(derive(FIRST_START, &["organization"]));
        let context = CommandContext::system("bootstrap", organization, derive(FIRST_START, &["command"]));
        if user.0 == context.created_id("user") { self.inner.vault.forget_generated_password().await } else { Ok(()) }
    }

    async fn ensure_first_organization(
        &self,
        context: &CommandContext,
        id: OrganizationId,
    ) -> Result<(), Error<Refusal>> {
        let new = FoundOrganization { id: Some(id), name: FIRST_ORGANIZATION.to_owned() };
        match self.found_organization(context, new).await {
            Ok(_) | Err(Error::Refused(OrganizationRefusal::AlreadyExists)) => Ok(()),
            Err(error) => Err(error.map_refused(Refusal::Organization)),
        }
    }

    /// Generates a password of 120 random bits and stores it, so that a start after a crash, or another process
    /// starting at the same time, uses the same one.
    async fn generate_password(&self) -> Result<String, Error> {
        let password = BASE32_NOPAD.encode(&random::bytes::<15>()?).to_lowercase();
        self.inner.vault.keep_generated_password(password).await
    }
}
