//! What may be asked of an API key. What does not live here: the decision.

use chrono::{DateTime, Utc};

use crate::user::AccessRole;

/// Commands on an API key.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiKeyCommand {
    /// Makes the key.
    CreateApiKey {
        /// What people know it by.
        name: String,
        /// What it may do.
        access_role: AccessRole,
        /// What its maker may do: the most that it may.
        maker_role: AccessRole,
        /// SHA-256 of the key, lower-case hex.
        digest: String,
        /// End of its validity.
        expires_at: DateTime<Utc>,
        /// The time now.
        now: DateTime<Utc>,
    },
    /// Ends it before its time.
    RevokeApiKey {
        /// Why, in the words of who did it.
        reason: String,
    },
}
