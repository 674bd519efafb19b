//! Events of a device. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClaimCodeId, DeviceTokenId, DeviceTypeId};

use crate::aggregate::domain_event;

/// Events of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeviceEvent {
    /// The device was registered.
    DeviceRegistered {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Manufacturer's serial number.
        serial_number: String,
        /// Its type.
        device_type_id: DeviceTypeId,
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
    },
    /// It was renamed.
    DeviceRenamed {
        /// Its name.
        name: String,
    },
    /// Its description changed.
    DeviceDescribed {
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// Its custom attributes were replaced.
    DeviceAttributesChanged {
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
    },
    /// An HTTP token was issued.
    DeviceTokenIssued {
        /// The token's id.
        token_id: DeviceTokenId,
        /// Human-readable label.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// SHA-256 of the token, lower-case hex; the token itself is never stored.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
    },
    /// An HTTP token was revoked.
    DeviceTokenRevoked {
        /// The token's id.
        token_id: DeviceTokenId,
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// A claim code was issued, which invalidates an earlier one.
    ClaimCodeIssued {
        /// The code's id.
        claim_code_id: ClaimCodeId,
        /// SHA-256 of the code, lower-case hex; the code itself is never stored.
        digest: String,
        /// End of validity.
        expires_at: DateTime<Utc>,
    },
    /// Its claim code was withdrawn.
    ClaimCodeWithdrawn {
        /// The code's id.
        claim_code_id: ClaimCodeId,
    },
    /// The device enrolled with its claim code.
    ClaimCodeUsed {
        /// The code's id.
        claim_code_id: ClaimCodeId,
    },
    /// It became a gateway for other devices of its organisation.
    GatewayAppointed {},
    /// It is no longer a gateway.
    GatewayDismissed {},
    /// The physical device was replaced.
    DeviceReplaced {
        /// Manufacturer's serial number of the new device.
        serial_number: String,
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// It was decommissioned permanently.
    DeviceDecommissioned {
        /// The reason, as entered by the actor.
        reason: String,
    },
}

domain_event!(DeviceEvent {
    DeviceRegistered "1.0", DeviceRenamed "1.0", DeviceDescribed "1.0", DeviceAttributesChanged "1.0",
    DeviceTokenIssued "1.0", DeviceTokenRevoked "1.0", GatewayAppointed "1.0", GatewayDismissed "1.0",
    DeviceDecommissioned "1.0", ClaimCodeIssued "1.0", ClaimCodeWithdrawn "1.0", ClaimCodeUsed "1.0",
    DeviceReplaced "1.0",
});
