//! What was refused, and why. One message of the dead-letter stream is a JSON array.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, OrganizationId};

/// One refused message of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Who refused it: `ingest`, `normalizer`, …
    pub stage: String,
    /// Why, as a stable code: `unknown_device`, `wrong_organization`, `decommissioned`, `malformed_json`, `oversize`,
    /// `not_finite`, `not_a_number`, `clock_too_early`, `clock_too_late`, `unknown_metric`, `missing_metric`, …
    pub reason: String,
    /// What exactly, for people.
    pub detail: String,
    /// Topic or subject it came on.
    pub subject: String,
    /// Its organisation, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The device, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The payload as text, or as `base64:…` where it is no UTF-8; cut at 4,096 bytes.
    pub payload: String,
}
