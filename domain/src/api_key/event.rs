//! Events of an API key. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::user::AccessRole;

/// Events of an API key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ApiKeyEvent {
    /// The key was created and handed out.
    ApiKeyCreated {
        /// Human-readable label.
        name: String,
        /// Its access role.
        access_role: AccessRole,
        /// SHA-256 of the key, lower-case hex.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
    },
    /// The key was revoked.
    ApiKeyRevoked {
        /// The reason, as entered by the actor.
        reason: String,
    },
}

domain_event!(ApiKeyEvent { ApiKeyCreated "1.0", ApiKeyRevoked "1.0" });
