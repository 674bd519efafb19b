//! Events of a user. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use super::AccessRole;
use crate::encrypted_text::EncryptedText;

use crate::aggregate::domain_event;

/// Events of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserEvent {
    /// The person was added.
    UserRegistered {
        /// E-mail address, encrypted with the person's key.
        email: EncryptedText,
        /// Name, encrypted with the person's key.
        name: EncryptedText,
        /// Their access role.
        access_role: AccessRole,
        /// Roles that work is assigned to.
        work_roles: Vec<String>,
    },
    /// The name changed.
    UserRenamed {
        /// Name, encrypted with the person's key.
        name: EncryptedText,
    },
    /// A password was set; the hash is kept elsewhere.
    UserPasswordSet {},
    /// They may do something else.
    UserAccessRoleChanged {
        /// Their access role.
        access_role: AccessRole,
    },
    /// Other work reaches them.
    UserWorkRolesChanged {
        /// Roles that work is assigned to.
        work_roles: Vec<String>,
    },
    /// Their access ended.
    UserDeactivated {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// They have access again.
    UserReactivated {},
    /// Their personal data can no longer be read.
    UserErased {},
}

impl UserEvent {
    /// Tells whether whoever is signed in as this user must sign in again after it.
    pub fn ends_sessions(&self) -> bool {
        matches!(
            self,
            Self::UserPasswordSet {}
                | Self::UserAccessRoleChanged { .. }
                | Self::UserDeactivated { .. }
                | Self::UserErased {}
        )
    }
}

domain_event!(UserEvent { UserRegistered "1.0", UserRenamed "1.0", UserPasswordSet "1.0", UserAccessRoleChanged "1.0", UserWorkRolesChanged "1.0", UserDeactivated "1.0", UserReactivated "1.0", UserErased "1.0" });
