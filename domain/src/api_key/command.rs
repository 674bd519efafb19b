//! Commands of an API key; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use crate::user::AccessRole;

/// Commands on an API key.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiKeyCommand {
    /// Makes the key.
    CreateApiKey {
        /// Human-readable label.
        name: String,
        /// Its access role.
        access_role: AccessRole,
        /// What its maker may do: the most that it may.
        maker_role: AccessRole,
        /// SHA-256 of the key, lower-case hex.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
        /// The time now.
        now: DateTime<Utc>,
    },
    /// Ends it before its time.
    RevokeApiKey {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
}
