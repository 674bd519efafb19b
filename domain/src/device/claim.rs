//! Enrolment of a device with a one-time claim code. Only the digest of a code is stored, never the code itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Device, DeviceCommand, DeviceEvent, Error};
use crate::ids::ClaimCodeId;

/// A claim code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimCode {
    /// Its id.
    pub claim_code_id: ClaimCodeId,
    /// SHA-256 of the code, lower-case hex.
    pub digest: String,
    /// End of validity.
    pub expires_at: DateTime<Utc>,
    /// Whether it was used.
    pub used: bool,
}

impl ClaimCode {
    /// Returns whether a device can still enrol with it.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        !self.used && now < self.expires_at
    }
}

impl Device {
    /// Decides on the commands about claim codes, which require a device in service.
    pub(super) fn decide_claim(&self, command: DeviceCommand) -> Result<Vec<DeviceEvent>, Error> {
        match command {
            DeviceCommand::IssueClaimCode { claim_code_id, digest, expires_at } => {
                let known = self.claim_code.as_ref().is_some_and(|known| known.claim_code_id == claim_code_id);
                let event = DeviceEvent::ClaimCodeIssued { claim_code_id, digest, expires_at };
                Ok((!known).then_some(event).into_iter().collect())
            }
            DeviceCommand::WithdrawClaimCode {} => {
                let open = self.claim_code.iter().filter(|code| !code.used);
                let event = |code: &ClaimCode| DeviceEvent::ClaimCodeWithdrawn { claim_code_id: code.claim_code_id };
                Ok(open.map(event).collect())
            }
            DeviceCommand::UseClaimCode { digest, now } => {
                let claim_code_id = self.check_claim_code(&digest, now)?.claim_code_id;
                Ok(vec![DeviceEvent::ClaimCodeUsed { claim_code_id }])
            }
            _ => Ok(vec![]),
        }
    }

    /// Returns the claim code with this digest if it is neither used nor expired.
    pub fn check_claim_code(&self, digest: &str, now: DateTime<Utc>) -> Result<&ClaimCode, Error> {
        let code = self.claim_code.as_ref().filter(|code| code.digest == digest).ok_or(Error::WrongClaimCode)?;
        if code.used {
            return Err(Error::ClaimCodeUsed);
        }
        if now >= code.expires_at {
            return Err(Error::ClaimCodeExpired);
        }
        Ok(code)
    }

    pub(super) fn evolve_claim(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::ClaimCodeIssued { claim_code_id, digest, expires_at } => {
                self.claim_code = Some(ClaimCode { claim_code_id, digest, expires_at, used: false });
            }
            DeviceEvent::ClaimCodeWithdrawn { .. } => self.claim_code = None,
            DeviceEvent::ClaimCodeUsed { .. } => {
                self.claim_code.iter_mut().for_each(|code| code.used = true);
            }
            _ => {}
        }
    }
}
