//! What may be asked of a user. What does not live here: the decision.

use super::AccessRole;
use crate::encrypted_text::EncryptedText;

/// Commands on a user.
#[derive(Clone, Debug, PartialEq)]
pub enum UserCommand {
    /// Adds the person.
    RegisterUser {
        /// EncryptedText e-mail address.
        email: EncryptedText,
        /// EncryptedText name.
        name: EncryptedText,
        /// What they may do.
        access_role: AccessRole,
        /// Roles that work is assigned to.
        work_roles: Vec<String>,
    },
    /// Changes the name.
    RenameUser {
        /// EncryptedText name.
        name: EncryptedText,
    },
    /// Notes that a password was set.
    NotePasswordSet {},
    /// Changes what they may do.
    ChangeAccessRole {
        /// What they may do.
        access_role: AccessRole,
    },
    /// Changes which work reaches them.
    ChangeWorkRoles {
        /// Roles that work is assigned to.
        work_roles: Vec<String>,
    },
    /// Ends their access.
    DeactivateUser {
        /// Why, in the words of who did it.
        reason: String,
    },
    /// Gives access back.
    ReactivateUser {},
    /// Notes that the key of their personal data was destroyed.
    EraseUser {},
}
