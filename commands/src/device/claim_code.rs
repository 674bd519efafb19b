//! Issues and withdraws claim codes. A code is generated here, returned once and never stored; events hold only its
//! digest.

use certs::ClaimCode;
use chrono::{DateTime, TimeDelta, Utc};
use domain::device::{Device, DeviceCommand};
use domain::ids::{ClaimCodeId, DeviceId, OrganizationId};

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::{Cause, Error};
use crate::unique_claim::{Key, device_holder};

/// Longest validity of a claim code, hours: 90 days.
const MAX_VALIDITY_HOURS: u32 = 2_160;

/// An issued claim code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedClaimCode {
    /// The code's id.
    pub id: ClaimCodeId,
    /// The code: returned once and never stored, so absent from the response to a repeat.
    pub code: Option<ClaimCode>,
    /// The serial number that must be presented with it.
    pub serial_number: String,
    /// End of its validity.
    pub expires_at: DateTime<Utc>,
    /// The receipt of its event.
    pub receipt: Receipt,
}

impl Commands {
    /// Issues a claim code for a device in service, valid for `hours` (1 to 2,160); an earlier code becomes invalid. A
    /// repeat returns the same code id without the code.
    pub async fn issue_claim_code(
        &self,
        context: &CommandContext,
        device: DeviceId,
        hours: u32,
    ) -> Result<IssuedClaimCode, Error<Refusal>> {
        if !(1..=MAX_VALIDITY_HOURS).contains(&hours) {
            return Err(Error::Refused(Refusal::InvalidClaimCodeValidity { hours }));
        }
        self.active_organization(context.organization).await.map_err(|e| e.map_refused(Refusal::Organization))?;
        let serial_number = self.device_in_service(context, device).await?.serial_number;
        let step = context.step("issue claim code");
        let claim_code_id = ClaimCodeId(context.created_id("claim code"));
        let known = self.load_fresh::<Device>(context.organization, device.0).await.map_err(Error::widen)?;
        if let Some(receipt) = recent_receipt(&known, step.command_id) {
            let stored = known.state.claim_code.filter(|stored| stored.claim_code_id == claim_code_id);
            let expires_at = stored.map_or(self.now(), |stored| stored.expires_at);
            return Ok(IssuedClaimCode { id: claim_code_id, code: None, serial_number, expires_at, receipt });
        }
        let code = ClaimCode::random().map_err(|error| Error::Internal(error.into()))?;
        let digest = certs::claim_code::digest_of(code.expose()).unwrap_or_default();
        // The claim maps the digest to the device: enrolment looks the device up by the code alone.
        self.claim(context, Key::claim_code(&digest), device_holder(context.organization, device))
            .await
            .map_err(Error::widen)?;
        let expires_at = self.now() + TimeDelta::hours(hours.into());
        let command = DeviceCommand::IssueClaimCode { claim_code_id, digest, expires_at };
        let issued = self.execute::<Device>(&step, device.0, command).await;
        let receipt = issued.map_err(|error| error.map_refused(Refusal::Device))?;
        // A concurrent attempt stored its own code under this id, so this attempt's code is not valid.
        let code = (!receipt.repeated).then_some(code);
        Ok(IssuedClaimCode { id: claim_code_id, code, serial_number, expires_at, receipt })
    }

    /// Withdraws an open claim code.
    pub async fn withdraw_claim_code(
        &self,
        context: &CommandContext,
        device: DeviceId,
    ) -> Result<Receipt, Error<Refusal>> {
        let withdrawn = self.execute::<Device>(context, device.0, DeviceCommand::WithdrawClaimCode {}).await;
        withdrawn.map_err(|error| error.map_refused(Refusal::Device))
    }

    /// Returns the device that a presented code was issued for, whether or not the code is still valid.
    pub(super) async fn device_of_claim_code(
        &self,
        digest: &str,
    ) -> Result<(OrganizationId, DeviceId), Error<Refusal>> {
        let holder = self.holder_of(Key::claim_code(digest)).await.map_err(Error::widen)?;
        let wrong = Error::Refused(Refusal::Device(domain::device::Error::WrongClaimCode));
        holder.map(|holder| (holder.organization, DeviceId(holder.id))).ok_or(wrong)
    }
}

/// Returns the profile of a device that is known to be registered.
pub(super) fn profile_of(state: &Device) -> Result<&domain::device::DeviceProfile, Error<Refusal>> {
    state
        .profile
        .as_ref()
        .ok_or_else(|| Error::Internal(Cause::from("a claim code refers to a device that does not exist")))
}
