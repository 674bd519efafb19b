//! Commands of a device; `aggregate` decides on them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::ids::{ClaimCodeId, DeviceTokenId, DeviceTypeId};

/// Commands on a device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceCommand {
    /// Adds the device.
    RegisterDevice {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// The maker's serial number.
        serial_number: String,
        /// Its type.
        device_type_id: DeviceTypeId,
        /// Free attributes: a JSON object.
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
    /// Replaces its free attributes.
    ChangeDeviceAttributes {
        /// Free attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Applies several of the changes above atomically.
    ReviseDevice {
        /// Renaming, describing, changing attributes.
        changes: Vec<DeviceCommand>,
    },
    /// Gives it a token for HTTP.
    IssueDeviceToken {
        /// The token's id.
        token_id: DeviceTokenId,
        /// Human-readable label.
        label: Option<String>,
        /// SHA-256 of the token, lower-case hex.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
        /// The time now: expired tokens do not count.
        now: DateTime<Utc>,
    },
    /// Takes a token from it.
    RevokeDeviceToken {
        /// The token's id.
        token_id: DeviceTokenId,
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// Gives it a claim code to enrol with, in place of an earlier one.
    IssueClaimCode {
        /// The code's id.
        claim_code_id: ClaimCodeId,
        /// SHA-256 of the code, lower-case hex.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
    },
    /// Takes the claim code from it.
    WithdrawClaimCode {},
    /// Uses the claim code up.
    UseClaimCode {
        /// SHA-256 of the presented code, lower-case hex.
        digest: String,
        /// The time now: an expired code does not count.
        now: DateTime<Utc>,
    },
    /// Lets it speak for other devices of its organisation.
    AppointGateway {},
    /// Lets it speak for itself alone.
    DismissGateway {},
    /// Puts another physical device in its place.
    ReplaceDevice {
        /// The maker's serial number of the new one.
        serial_number: String,
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// Takes it out of service for good.
    DecommissionDevice {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
}
