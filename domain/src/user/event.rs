//! Events of a user. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use super::AccessRole;
use crate::encrypted_text::EncryptedText;

use crate::aggregate::domain_event;

/// Events of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserEvent {
    /// The user was registered.
    UserRegistered {
        /// E-mail address, encrypted with the person's key.
        email: EncryptedText,
        /// Name, encrypted with the person's key.
        name: EncryptedText,
        /// Their access role.
        access_role: AccessRole,
        /// Work roles, to which activities are assigned.
        work_roles: Vec<String>,
    },
    /// Their name changed.
    UserRenamed {
        /// Name, encrypted with the person's key.
        name: EncryptedText,
    },
    /// A password was set; its hash is stored outside the log.
    UserPasswordSet {},
    /// Their access role changed.
    UserAccessRoleChanged {
        /// Their access role.
        access_role: AccessRole,
    },
    /// Their work roles changed.
    UserWorkRolesChanged {
        /// Work roles, to which activities are assigned.
        work_roles: Vec<String>,
    },
    /// They were deactivated.
    UserDeactivated {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// They were reactivated.
    UserReactivated {},
    /// Their personal data was erased: it can no longer be decrypted.
    UserErased {},
}

impl UserEvent {
    /// Returns whether the event ends the user's sessions, so that they must sign in again.
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
