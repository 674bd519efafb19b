//! Creates API keys. A key is generated here, returned once and never stored; events hold only its digest.

use chrono::TimeDelta;
use domain::api_key::{ApiKey, ApiKeyCommand};
use domain::ids::ApiKeyId;
use domain::user::AccessRole;

use super::{PREFIX, Refusal};
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::{Cause, Error};
use crate::one_time_secret::OneTimeSecret;

/// Longest validity of a key, days.
const MAX_VALIDITY_DAYS: u32 = 3_650;

/// The definition of a new key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// A name for users, 1 to 200 characters.
    pub name: String,
    /// Its access role.
    pub access_role: AccessRole,
    /// The access role of its creator, which the key's role may not exceed.
    pub maker_role: AccessRole,
    /// Days of validity, 1 to 3,650.
    pub validity_days: u32,
}

/// A created key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// The key: returned once and never stored, so absent from the response to a repeat.
    pub key: Option<OneTimeSecret>,
    /// The receipt of its event.
    pub receipt: Receipt,
}

impl Commands {
    /// Creates a key in the context's organisation. A repeat returns the same key id without the key.
    pub async fn create_api_key(
        &self,
        context: &CommandContext,
        new: NewApiKey,
    ) -> Result<CreatedApiKey, Error<Refusal>> {
        let days = new.validity_days;
        if !(1..=MAX_VALIDITY_DAYS).contains(&days) {
            return Err(Error::Refused(Refusal::InvalidValidity { days }));
        }
        self.active_organization(context.organization).await.map_err(|e| e.map_refused(Refusal::Organization))?;
        let (now, id) = (self.now(), ApiKeyId(context.created_id("api key")));
        let secret = OneTimeSecret::draw(PREFIX, context.organization.0, id.0).map_err(Error::widen)?;
        let command = ApiKeyCommand::CreateApiKey {
            name: new.name,
            access_role: new.access_role,
            maker_role: new.maker_role,
            digest: secret.digest(),
            expires_at: now + TimeDelta::days(days.into()),
            now,
        };
        let created = self.execute::<ApiKey>(context, id.0, command).await;
        let receipt = created.map_err(|error| error.map_refused(Refusal::ApiKey))?;
        let state = self.load_fresh::<ApiKey>(context.organization, id.0).await.map_err(Error::widen)?.state;
        let terms = state.terms.ok_or_else(|| Error::Internal(Cause::from("an API key has no creation event")))?;
        // Return the key only if this attempt's digest was stored: another attempt may have stored its own.
        let key = (terms.digest == secret.digest()).then_some(secret);
        Ok(CreatedApiKey { id, key, receipt })
    }
}
