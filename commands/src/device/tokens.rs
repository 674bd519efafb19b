//! Device tokens: the secret is drawn here, given out once and stored nowhere; the log gets its digest.

use certs::DeviceToken;
use chrono::{DateTime, TimeDelta, Utc};
use domain::device::{Device, DeviceCommand};
use domain::ids::{DeviceId, DeviceTokenId};

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::{Cause, Error};

/// Longest validity of a token, days.
const MAX_VALIDITY_DAYS: u32 = 3_650;

/// What a new token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeviceToken {
    /// What people know it by, 1 to 100 characters.
    pub label: Option<String>,
    /// Days of validity, 1 to 3,650.
    pub validity_days: u32,
}

/// An issued token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedDeviceToken {
    /// The token's id.
    pub id: DeviceTokenId,
    /// The token: given out once and stored nowhere, so absent in the answer to a repeat.
    pub token: Option<DeviceToken>,
    /// What people know it by.
    pub label: Option<String>,
    /// End of its validity.
    pub expires_at: DateTime<Utc>,
    /// Where its event stands.
    pub receipt: Receipt,
}

impl Commands {
    /// Issues a token for a device in service. A repeat names the same token without its secret.
    pub async fn issue_device_token(
        &self,
        context: &CommandContext,
        device: DeviceId,
        new: NewDeviceToken,
    ) -> Result<IssuedDeviceToken, Error<Refusal>> {
        let days = new.validity_days;
        if !(1..=MAX_VALIDITY_DAYS).contains(&days) {
            return Err(Error::Refused(Refusal::InvalidTokenValidity { days }));
        }
        self.active_organization(context.organization).await.map_err(|e| e.map_refused(Refusal::Organization))?;
        let secret = DeviceToken::random().map_err(|error| Error::Internal(error.into()))?;
        let (now, token_id) = (self.now(), DeviceTokenId(context.created_id("device token")));
        let command = DeviceCommand::IssueDeviceToken {
            token_id,
            label: new.label,
            digest: secret.digest(),
            expires_at: now + TimeDelta::days(days.into()),
            now,
        };
        let issued = self.execute::<Device>(context, device.0, command).await;
        let receipt = issued.map_err(|error| error.map_refused(Refusal::Device))?;
        let state = self.load_fresh::<Device>(context.organization, device.0).await.map_err(Error::widen)?.state;
        let stored = state.tokens.into_iter().find(|token| token.token_id == token_id);
        let stored = stored.ok_or_else(|| Error::Internal(Cause::from("a token without its issuing")))?;
        // The stored digest alone tells whether it was this attempt that was stored.
        let token = (stored.digest == secret.digest()).then_some(secret);
        Ok(IssuedDeviceToken { id: token_id, token, label: stored.label, expires_at: stored.expires_at, receipt })
    }
}
