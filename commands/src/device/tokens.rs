//! Issues device tokens. A token is generated here, returned once and never stored; events hold only its digest.

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

/// The definition of a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeviceToken {
    /// A label for users, 1 to 100 characters.
    pub label: Option<String>,
    /// Days of validity, 1 to 3,650.
    pub validity_days: u32,
}

/// An issued token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedDeviceToken {
    /// The token's id.
    pub id: DeviceTokenId,
    /// The token: returned once and never stored, so absent from the response to a repeat.
    pub token: Option<DeviceToken>,
    /// Its label for users.
    pub label: Option<String>,
    /// End of its validity.
    pub expires_at: DateTime<Utc>,
    /// The receipt of its event.
    pub receipt: Receipt,
}

impl Commands {
    /// Issues a token for a device in service. A repeat returns the same token id without the token.
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
        let stored = stored.ok_or_else(|| Error::Internal(Cause::from("a device token has no issue event")))?;
        // Return the token only if this attempt's digest was stored: another attempt may have stored its own.
        let token = (stored.digest == secret.digest()).then_some(secret);
        Ok(IssuedDeviceToken { id: token_id, token, label: stored.label, expires_at: stored.expires_at, receipt })
    }
}
