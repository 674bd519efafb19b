//! Verifies API keys from the cache that follows the log: a revocation takes effect in a process as soon as the process
//! reads it from the log, which takes milliseconds.

use chrono::{DateTime, Utc};
use domain::api_key::ApiKey;
use domain::ids::{ApiKeyId, OrganizationId};
use domain::user::AccessRole;

use super::PREFIX;
use crate::commands::Commands;
use crate::error::{Cause, Error};
use crate::one_time_secret::PresentedSecret;

/// A valid key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedApiKey {
    /// The key.
    pub id: ApiKeyId,
    /// Its organisation.
    pub organization: OrganizationId,
    /// Its name for users.
    pub name: String,
    /// Its access role.
    pub access_role: AccessRole,
    /// End of its validity.
    pub expires_at: DateTime<Utc>,
}

/// Why a presented key is refused. Only a caller that has the key learns more than [`ApiKeyError::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// There is no such key.
    #[error("the API key is unknown")]
    Unknown,
    /// It was revoked.
    #[error("the API key was revoked")]
    Revoked,
    /// It has expired.
    #[error("the API key has expired")]
    Expired,
    /// Its organisation is suspended.
    #[error("the organisation is suspended")]
    OrganizationSuspended,
    /// The log does not answer, or stored data is damaged.
    #[error("API keys cannot be verified at the moment")]
    Unavailable(#[source] Cause),
}

impl Commands {
    /// Verifies a presented key and returns its organisation and access role.
    pub async fn verify_api_key(&self, presented: &str) -> Result<VerifiedApiKey, ApiKeyError> {
        let presented = PresentedSecret::read(PREFIX, presented).ok_or(ApiKeyError::Unknown)?;
        let (organization, id) = (OrganizationId(presented.first), presented.second);
        let state = self.load_cached::<ApiKey>(organization, id, |known| known.terms.is_some()).await;
        let state = state.map_err(unavailable)?;
        // Compare the digest first: a caller without the key must not learn that it exists, is revoked or has expired.
        let terms = state.terms.filter(|terms| terms.digest == presented.digest).ok_or(ApiKeyError::Unknown)?;
        if state.revoked {
            return Err(ApiKeyError::Revoked);
        }
        if terms.expires_at <= self.now() {
            return Err(ApiKeyError::Expired);
        }
        match self.active_organization(organization).await {
            Ok(_) => {}
            Err(Error::Refused(_)) => return Err(ApiKeyError::OrganizationSuspended),
            Err(error) => return Err(unavailable(error)),
        }
        let (name, access_role, expires_at) = (terms.name, terms.access_role, terms.expires_at);
        Ok(VerifiedApiKey { id: ApiKeyId(id), organization, name, access_role, expires_at })
    }
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(error: Error<E>) -> ApiKeyError {
    ApiKeyError::Unavailable(error.into())
}
