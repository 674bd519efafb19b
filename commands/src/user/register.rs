//! Registers a user: claims the address, creates the person's key, stores the password hash, adds the user.

use std::fmt;

use domain::Decide;
use domain::ids::UserId;
use domain::user::{AccessRole, User, UserCommand};

use super::Refusal;
use super::password::check_password;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::Error;
use crate::unique_claim::{Claim, Key, user_holder};
use crate::vault::{EmailAddress, Field};

/// The definition of a new user. `Debug` shows no personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct NewUser {
    /// E-mail address, unique on the platform.
    pub email: String,
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Password, 8 to 200 characters.
    pub password: String,
    /// Their access role.
    pub access_role: AccessRole,
    /// Roles that work is assigned to.
    pub work_roles: Vec<String>,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("access_role", &self.access_role).finish_non_exhaustive()
    }
}

/// A registered user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredUser {
    /// The user.
    pub user: UserId,
    /// The receipt of their first event.
    pub receipt: Receipt,
    /// Whether an earlier attempt of the same command registered them.
    pub repeated: bool,
}

/// A new user who has passed all checks that need no stored state.
struct Checked {
    email: EmailAddress,
    name: String,
    new: NewUser,
}

impl Commands {
    /// Registers a user in the context's organisation. Name and address are sealed under the person's own key; the
    /// vault stores the password as a hash. If interrupted, a repeat with the same command id completes it.
    pub async fn register_user(
        &self,
        context: &CommandContext,
        new: NewUser,
    ) -> Result<RegisteredUser, Error<Refusal>> {
        let user = UserId(context.created_id("user"));
        let step = context.step("register user");
        if let Some(receipt) = self.registered_before(&step, user).await? {
            return Ok(RegisteredUser { user, receipt, repeated: true });
        }
        let checked = check(new).map_err(Error::Refused)?;
        self.active_organization(context.organization).await.map_err(|e| e.map_refused(Refusal::Organization))?;
        let key = Key::email(&self.inner.vault.email_hash(&checked.email).map_err(Error::from)?);
        let holder = user_holder(context.organization, user);
        if let Claim::Taken(_) = self.claim(context, key, holder).await.map_err(Error::widen)? {
            return Err(Error::Refused(Refusal::EmailTaken));
        }
        match self.add_user(&step, user, checked).await {
            Ok(receipt) => Ok(RegisteredUser { user, receipt, repeated: receipt.repeated }),
            Err(error) => {
                // Undo only if the user is certainly not stored: otherwise a repeat needs the claim and the key.
                if error.is_definite() {
                    self.release(context, key, user.0).await.map_err(Error::widen)?;
                    self.forget(user).await.map_err(Error::widen)?;
                }
                Err(error)
            }
        }
    }

    /// Deletes all secrets of a person.
    pub(super) async fn forget(&self, user: UserId) -> Result<(), Error> {
        self.inner.vault.forget_password(user).await?;
        self.inner.vault.forget_person(user).await
    }

    async fn registered_before(&self, step: &CommandContext, user: UserId) -> Result<Option<Receipt>, Error<Refusal>> {
        let loaded = self.load_fresh::<User>(step.organization, user.0).await.map_err(Error::widen)?;
        Ok(recent_receipt(&loaded, step.command_id))
    }

    async fn add_user(&self, step: &CommandContext, user: UserId, checked: Checked) -> Result<Receipt, Error<Refusal>> {
        let vault = &self.inner.vault;
        let Checked { email, name, new } = checked;
        let key = vault.ensure_person_key(user).await.map_err(Error::widen)?;
        let hash = vault.passwords.hash(&new.password).await.map_err(Error::widen)?;
        vault.replace_password_hash(user, &hash).await.map_err(Error::widen)?;
        let command = UserCommand::RegisterUser {
            email: key.seal(Field::Email, email.as_str()).map_err(Error::widen)?,
            name: key.seal(Field::Name, &name).map_err(Error::widen)?,
            access_role: new.access_role,
            work_roles: new.work_roles,
        };
        self.execute::<User>(step, user.0, command).await.map_err(|error| error.map_refused(Refusal::User))
    }
}

fn check(new: NewUser) -> Result<Checked, Refusal> {
    let email = EmailAddress::parse(&new.email).ok_or(Refusal::InvalidEmail)?;
    let name = domain::validation::name(&new.name).ok_or(Refusal::InvalidName)?;
    check_password(&new.password)?;
    // A dry run, so that an invalid user claims no address and creates no key.
    let rehearsal = UserCommand::RegisterUser {
        email: domain::EncryptedText::default(),
        name: domain::EncryptedText::default(),
        access_role: new.access_role,
        work_roles: new.work_roles.clone(),
    };
    User::default().decide(rehearsal).map_err(Refusal::User)?;
    Ok(Checked { email, name, new })
}
