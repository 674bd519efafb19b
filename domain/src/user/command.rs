//! Commands of a user; `aggregate` decides on them.

use super::AccessRole;
use crate::encrypted_text::EncryptedText;

/// Commands on a user.
#[derive(Clone, Debug, PartialEq)]
pub enum UserCommand {
    /// Adds the person.
    RegisterUser {
        /// E-mail address, encrypted with the person's key.
        email: EncryptedText,
        /// Name, encrypted with the person's key.
        name: EncryptedText,
        /// Their access role.
        access_role: AccessRole,
        /// Roles that work is assigned to.
        work_roles: Vec<String>,
    },
    /// Changes the name.
    RenameUser {
        /// Name, encrypted with the person's key.
        name: EncryptedText,
    },
    /// Notes that a password was set.
    NotePasswordSet {},
    /// Changes what they may do.
    ChangeAccessRole {
        /// Their access role.
        access_role: AccessRole,
    },
    /// Changes which work reaches them.
    ChangeWorkRoles {
        /// Roles that work is assigned to.
        work_roles: Vec<String>,
    },
    /// Ends their access.
    DeactivateUser {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// Gives access back.
    ReactivateUser {},
    /// Notes that the key of their personal data was destroyed.
    EraseUser {},
}
