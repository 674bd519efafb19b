//! Commands of a device; `aggregate` decides on them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::ids::{ClaimCodeId, DeviceTokenId, DeviceTypeId};

/// Commands on a device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceCommand {
    /// Registers the device.
    RegisterDevice {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// Manufacturer's serial number.
        serial_number: String,
        /// Its type.
        device_type_id: DeviceTypeId,
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Renames it.
    RenameDevice {
        /// Its name.
        name: String,
    },
    /// Changes its description.
    DescribeDevice {
        /// Free-text description.
        description: Option<String>,
    },
    /// Replaces its custom attributes.
    ChangeDeviceAttributes {
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Applies several of the changes above atomically.
    ReviseDevice {
        /// Renaming, describing and changing attributes; other commands have no effect here.
        changes: Vec<DeviceCommand>,
    },
    /// Issues an HTTP token.
    IssueDeviceToken {
        /// The token's id.
        token_id: DeviceTokenId,
        /// Human-readable label.
        label: Option<String>,
        /// SHA-256 of the token, lower-case hex.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
        /// The current time, because expired tokens do not count towards the limit.
        now: DateTime<Utc>,
    },
    /// Revokes an HTTP token.
    RevokeDeviceToken {
        /// The token's id.
        token_id: DeviceTokenId,
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Issues a claim code for enrolment, which replaces an earlier one.
    IssueClaimCode {
        /// The code's id.
        claim_code_id: ClaimCodeId,
        /// SHA-256 of the code, lower-case hex.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
    },
    /// Withdraws the claim code if it is unused.
    WithdrawClaimCode {},
    /// Uses the claim code for enrolment.
    UseClaimCode {
        /// SHA-256 of the presented code, lower-case hex.
        digest: String,
        /// The current time, because an expired code is rejected.
        now: DateTime<Utc>,
    },
    /// Makes it a gateway: it may send data on behalf of other devices of its organisation.
    AppointGateway {},
    /// Ends its gateway role.
    DismissGateway {},
    /// Replaces the physical device.
    ReplaceDevice {
        /// Manufacturer's serial number of the new device.
        serial_number: String,
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Decommissions it permanently.
    DecommissionDevice {
        /// The reason, as entered by the actor.
        reason: String,
    },
}
