//! HTTP access of a device: its tokens and its gateway role. Only the digest of a token is stored, never the token
//! itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Device, DeviceCommand, DeviceEvent, Error};
use crate::ids::DeviceTokenId;
use crate::validation;

/// Maximum number of valid tokens of a device at a time.
pub const MAX_TOKENS: usize = 10;
/// Maximum length of a token's label, characters.
const MAX_LABEL_CHARS: usize = 100;

/// A device token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceToken {
    /// Its id.
    pub token_id: DeviceTokenId,
    /// Human-readable label.
    pub label: Option<String>,
    /// SHA-256 of the token, lower-case hex.
    pub digest: String,
    /// End of validity.
    pub expires_at: DateTime<Utc>,
    /// Why it was revoked; `None` if it was not.
    pub revoked: Option<String>,
}

impl DeviceToken {
    /// Returns whether it is neither revoked nor expired.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.revoked.is_none() && now < self.expires_at
    }
}

impl Device {
    /// Decides on the commands about access, which require a device in service.
    pub(super) fn decide_access(&self, command: DeviceCommand) -> Result<Vec<DeviceEvent>, Error> {
        match command {
            DeviceCommand::IssueDeviceToken { token_id, label, digest, expires_at, now } => {
                self.issue(token_id, label, digest, expires_at, now)
            }
            DeviceCommand::RevokeDeviceToken { token_id, reason } => {
                let token = self.tokens.iter().find(|token| token.token_id == token_id).ok_or(Error::NoSuchToken)?;
                let event = DeviceEvent::DeviceTokenRevoked { token_id, reason };
                Ok(token.revoked.is_none().then_some(event).into_iter().collect())
            }
            DeviceCommand::AppointGateway {} if !self.gateway => Ok(vec![DeviceEvent::GatewayAppointed {}]),
            DeviceCommand::DismissGateway {} if self.gateway => Ok(vec![DeviceEvent::GatewayDismissed {}]),
            _ => Ok(vec![]),
        }
    }

    fn issue(
        &self,
        token_id: DeviceTokenId,
        label: Option<String>,
        digest: String,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<DeviceEvent>, Error> {
        let checked = |label: String| validation::trimmed(&label, MAX_LABEL_CHARS).ok_or(Error::InvalidLabel);
        let label = label.map(checked).transpose()?;
        // A retried command must not fail on the limit that it reached itself.
        if self.tokens.iter().any(|token| token.token_id == token_id) {
            return Ok(vec![]);
        }
        if self.tokens.iter().filter(|token| token.is_valid_at(now)).count() >= MAX_TOKENS {
            return Err(Error::TooManyTokens { most: MAX_TOKENS });
        }
        Ok(vec![DeviceEvent::DeviceTokenIssued { token_id, label, digest, expires_at }])
    }
}
