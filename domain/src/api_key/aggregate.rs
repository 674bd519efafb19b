//! State of an API key and its decisions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ApiKeyCommand, ApiKeyEvent, Error};
use crate::aggregate::{Decide, aggregate};
use crate::user::AccessRole;
use crate::validation;

/// The state of an API key, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The issued key's properties; `None` until it is created.
    pub terms: Option<Terms>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// The properties of an API key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Human-readable label.
    pub name: String,
    /// Its access role.
    pub access_role: AccessRole,
    /// SHA-256 of the key, lower-case hex.
    pub digest: String,
    /// End of validity.
    pub expires_at: DateTime<Utc>,
}

impl Decide for ApiKey {
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use ApiKeyCommand as C;
        match (command, &self.terms) {
            (C::CreateApiKey { .. }, Some(_)) => Err(Error::AlreadyExists),
            (C::CreateApiKey { name, access_role, maker_role, digest, expires_at, now }, None) => {
                let name = validation::name(&name).ok_or(Error::InvalidName)?;
                if access_role > maker_role {
                    return Err(Error::RoleTooHigh { most: maker_role });
                }
                if expires_at <= now {
                    return Err(Error::InvalidExpiry);
                }
                Ok(vec![ApiKeyEvent::ApiKeyCreated { name, access_role, digest, expires_at }])
            }
            (C::RevokeApiKey { .. }, None) => Err(Error::NotFound),
            (C::RevokeApiKey { .. }, Some(_)) if self.revoked => Ok(vec![]),
            (C::RevokeApiKey { reason }, Some(_)) => Ok(vec![ApiKeyEvent::ApiKeyRevoked { reason }]),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            ApiKeyEvent::ApiKeyCreated { name, access_role, digest, expires_at } => {
                self.terms = Some(Terms { name, access_role, digest, expires_at });
            }
            ApiKeyEvent::ApiKeyRevoked { .. } => self.revoked = true,
        }
    }
}

aggregate!(ApiKey, "api_key");
