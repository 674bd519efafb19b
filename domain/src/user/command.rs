//! Commands of a user; `aggregate` decides on them.

use super::AccessRole;
use crate::encrypted_text::EncryptedText;

/// Commands on a user.
#[derive(Clone, Debug, PartialEq)]
pub enum UserCommand {
    /// Registers the user.
    RegisterUser {
        /// E-mail address, encrypted with the person's key.
        email: EncryptedText,
        /// Name, encrypted with the person's key.
        name: EncryptedText,
        /// Their access role.
        access_role: AccessRole,
        /// Work roles, to which activities are assigned.
        work_roles: Vec<String>,
    },
    /// Changes their name.
    RenameUser {
        /// Name, encrypted with the person's key.
        name: EncryptedText,
    },
    /// Records that a password was set.
    NotePasswordSet {},
    /// Changes their access role.
    ChangeAccessRole {
        /// Their access role.
        access_role: AccessRole,
    },
    /// Changes their work roles.
    ChangeWorkRoles {
        /// Work roles, to which activities are assigned.
        work_roles: Vec<String>,
    },
    /// Deactivates them: ends their access.
    DeactivateUser {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Reactivates them.
    ReactivateUser {},
    /// Records that the key to their personal data was destroyed.
    EraseUser {},
}
