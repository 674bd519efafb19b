//! What may be asked of a device. What does not live here: the decision.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::ids::{DeviceTokenId, DeviceTypeId};

/// Commands on a device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceCommand {
    /// Adds the device.
    RegisterDevice {
        /// Its name.
        name: String,
        /// Free text for people.
        description: Option<String>,
        /// The maker's serial number.
        serial_number: String,
        /// Its type.
        device_type_id: DeviceTypeId,
        /// Free attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Gives it another name.
    RenameDevice {
        /// Its name.
        name: String,
    },
    /// Changes its description.
    DescribeDevice {
        /// Free text for people.
        description: Option<String>,
    },
    /// Replaces its free attributes.
    ChangeDeviceAttributes {
        /// Free attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Gives it a token for HTTP.
    IssueDeviceToken {
        /// The token's id.
        token_id: DeviceTokenId,
        /// What people know it by.
        label: Option<String>,
        /// SHA-256 of the token, lower-case hex.
        digest: String,
        /// End of its validity.
        expires_at: DateTime<Utc>,
        /// The time now: expired tokens do not count.
        now: DateTime<Utc>,
    },
    /// Takes a token from it.
    RevokeDeviceToken {
        /// The token's id.
        token_id: DeviceTokenId,
        /// Why, in the words of who did it.
        reason: String,
    },
    /// Lets it speak for other devices of its organisation.
    AppointGateway {},
    /// Lets it speak for itself alone.
    DismissGateway {},
    /// Takes it out of service for good.
    DecommissionDevice {
        /// Why, in the words of who did it.
        reason: String,
    },
}
