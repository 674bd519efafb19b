//! State of a user and its decisions.

use serde::{Deserialize, Serialize};

use super::{AccessRole, Error, UserCommand, UserEvent};
use crate::aggregate::{Decide, aggregate};
use crate::encrypted_text::EncryptedText;
use crate::validation;

/// Maximum length of a work role, characters.
const MAX_WORK_ROLE_CHARS: usize = 60;

/// The state of a user, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Their details; `None` until they are registered.
    pub profile: Option<Profile>,
    /// Whether they are deactivated.
    pub deactivated: bool,
    /// Whether their personal data is permanently erased.
    pub erased: bool,
    /// Incremented whenever sessions must end: on a change of password or access role, deactivation or erasure.
    /// Credentials issued at an earlier version are invalid.
    pub access_version: u64,
}

/// The details of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// E-mail address, encrypted with the person's key.
    pub email: EncryptedText,
    /// Name, encrypted with the person's key.
    pub name: EncryptedText,
    /// Their access role.
    pub access_role: AccessRole,
    /// Work roles, to which activities are assigned.
    pub work_roles: Vec<String>,
}

impl User {
    /// Returns whether the user exists and may sign in.
    pub fn is_active(&self) -> bool {
        self.profile.is_some() && !self.deactivated && !self.erased
    }
}

impl Decide for User {
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use UserCommand as C;
        match (command, &self.profile) {
            (C::RegisterUser { email, name, access_role, work_roles }, None) => {
                let work_roles = checked(work_roles)?;
                Ok(vec![UserEvent::UserRegistered { email, name, access_role, work_roles }])
            }
            (C::RegisterUser { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            (C::EraseUser {}, _) if self.erased => Ok(vec![]),
            (C::EraseUser {}, _) => Ok(vec![UserEvent::UserErased {}]),
            // Erasure is final: nothing but a repeated erasure is accepted.
            (_, _) if self.erased => Err(Error::Erased),
            (C::DeactivateUser { .. }, _) if self.deactivated => Ok(vec![]),
            (C::DeactivateUser { reason }, _) => Ok(vec![UserEvent::UserDeactivated { reason }]),
            (C::ReactivateUser {}, _) if !self.deactivated => Ok(vec![]),
            (C::ReactivateUser {}, _) => Ok(vec![UserEvent::UserReactivated {}]),
            (_, _) if self.deactivated => Err(Error::Deactivated),
            (command, Some(profile)) => profile.change(command),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        self.access_version += u64::from(event.ends_sessions());
        match (event, &mut self.profile) {
            (UserEvent::UserRegistered { email, name, access_role, work_roles }, profile) => {
                *profile = Some(Profile { email, name, access_role, work_roles });
            }
            (UserEvent::UserRenamed { name }, Some(profile)) => profile.name = name,
            (UserEvent::UserAccessRoleChanged { access_role }, Some(profile)) => profile.access_role = access_role,
            (UserEvent::UserWorkRolesChanged { work_roles }, Some(profile)) => profile.work_roles = work_roles,
            (UserEvent::UserDeactivated { .. }, _) => self.deactivated = true,
            (UserEvent::UserReactivated {}, _) => self.deactivated = false,
            (UserEvent::UserErased {}, _) => self.erased = true,
            (_, _) => {}
        }
    }
}

aggregate!(User, "user");

impl Profile {
    /// Decides on the commands that require an active user.
    fn change(&self, command: UserCommand) -> Result<Vec<UserEvent>, Error> {
        match command {
            UserCommand::RenameUser { name } if name != self.name => Ok(vec![UserEvent::UserRenamed { name }]),
            UserCommand::ChangeAccessRole { access_role } if access_role != self.access_role => {
                Ok(vec![UserEvent::UserAccessRoleChanged { access_role }])
            }
            UserCommand::ChangeWorkRoles { work_roles } => {
                let work_roles = checked(work_roles)?;
                let changed = work_roles != self.work_roles;
                Ok(changed.then_some(UserEvent::UserWorkRolesChanged { work_roles }).into_iter().collect())
            }
            UserCommand::NotePasswordSet {} => Ok(vec![UserEvent::UserPasswordSet {}]),
            _ => Ok(vec![]),
        }
    }
}

/// Trims the roles and removes duplicates, keeping the order of first occurrence.
fn checked(roles: Vec<String>) -> Result<Vec<String>, Error> {
    let mut checked: Vec<String> = Vec::with_capacity(roles.len());
    for role in roles {
        match validation::trimmed(&role, MAX_WORK_ROLE_CHARS) {
            None => return Err(Error::InvalidWorkRole { role }),
            Some(role) if checked.contains(&role) => {}
            Some(role) => checked.push(role),
        }
    }
    Ok(checked)
}
