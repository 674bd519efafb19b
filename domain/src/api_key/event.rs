//! What may have happened to an API key, as facts. Stored for ever: add versions, never change one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::user::AccessRole;

/// Events of an API key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ApiKeyEvent {
    /// It was made and given out.
    ApiKeyCreated {
        /// What people know it by.
        name: String,
        /// What it may do.
        access_role: AccessRole,
        /// SHA-256 of the key, lower-case hex.
        digest: String,
        /// End of its validity.
        expires_at: DateTime<Utc>,
    },
    /// It no longer holds.
    ApiKeyRevoked {
        /// Why, in the words of who did it.
        reason: String,
    },
}

domain_event!(ApiKeyEvent { ApiKeyCreated "1.0", ApiKeyRevoked "1.0" });
