//! Commands of an API key; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use crate::user::AccessRole;

/// Commands on an API key.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiKeyCommand {
    /// Creates the key.
    CreateApiKey {
        /// Human-readable label.
        name: String,
        /// Its access role.
        access_role: AccessRole,
        /// The access role of its creator; the key's role must not exceed it.
        maker_role: AccessRole,
        /// SHA-256 of the key, lower-case hex.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Revokes the key before it expires.
    RevokeApiKey {
        /// The reason, as entered by the actor.
        reason: String,
    },
}
