//! What was refused, and why. One message of the dead-letter stream is a JSON array.

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, OrganizationId};

/// Longest payload of a letter, octets.
const MAX_PAYLOAD: usize = 4_096;

/// What marks a payload that is no UTF-8.
const BASE64_MARK: &str = "base64:";

/// One refused message of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Who refused it: `ingest`, `normalizer`, …
    pub stage: String,
    /// Why, as a stable code: `unknown_device`, `wrong_organization`, `decommissioned`, `malformed_json`, `oversize`,
    /// `not_finite`, `not_a_number`, `clock_too_early`, `clock_too_late`, `unknown_metric`, `missing_metric`, …
    pub reason: String,
    /// Human-readable detail.
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

impl DeadLetter {
    /// Returns a payload as text, or as `base64:…` where it is no UTF-8; cut at 4,096 octets.
    pub fn text(payload: &[u8]) -> String {
        let cut = &payload[..payload.len().min(MAX_PAYLOAD)];
        match std::str::from_utf8(cut) {
            Ok(text) => text.to_owned(),
            // The cut went through a character: only its beginning is missing its end.
            Err(error) if error.error_len().is_none() && cut.len() < payload.len() => {
                String::from_utf8_lossy(&cut[..error.valid_up_to()]).into_owned()
            }
            Err(_) => {
                let most = (MAX_PAYLOAD - BASE64_MARK.len()) / 4 * 3;
                format!("{BASE64_MARK}{}", BASE64.encode(&cut[..cut.len().min(most)]))
            }
        }
    }

    /// Tells whether the payload is so long that its end may be missing.
    pub fn may_be_cut(&self) -> bool {
        // A cut character has up to four octets; older letters were cut up to twelve earlier in base64.
        let spare = if self.payload.starts_with(BASE64_MARK) { 16 } else { 4 };
        self.payload.len() + spare > MAX_PAYLOAD
    }

    /// Returns the payload as it came; none where it is marked as base64 and is none.
    pub fn payload_bytes(&self) -> Option<Vec<u8>> {
        Self::bytes_of(&self.payload)
    }

    /// The same of a payload alone.
    pub fn bytes_of(payload: &str) -> Option<Vec<u8>> {
        match payload.strip_prefix(BASE64_MARK) {
            None => Some(payload.as_bytes().to_vec()),
            Some(encoded) => BASE64.decode(encoded.as_bytes()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_become_text_that_fits() {
        let text = DeadLetter::text;
        assert_eq!(text(b"{}"), "{}");
        assert_eq!(text(&[0xff, 0xfe]), "base64://4=");
        assert_eq!(text(&[b'a'; 5_000]).len(), 4_096);
        assert_eq!(text(&[0xff; 5_000]).len(), 4_095);
        let cut_through = format!("{}é", "a".repeat(4_095));
        assert_eq!(text(cut_through.as_bytes()), "a".repeat(4_095));
        assert!(text(&cut_through.as_bytes()[..4_096]).starts_with("base64:"));
        assert_eq!(text("é".repeat(3_000).as_bytes()).len(), 4_096);
    }
}
