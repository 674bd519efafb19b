//! Dead letters: rejected messages with the reason. One message of the dead-letter stream is a JSON array of them.

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, OrganizationId};

/// Maximum stored length of a payload, bytes.
const MAX_PAYLOAD: usize = 4_096;

/// Prefix of a payload that is not UTF-8.
const BASE64_MARK: &str = "base64:";

/// A rejected message of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The stage that rejected it: `ingest`, `normalizer`, …
    pub stage: String,
    /// A stable reason code: `unknown_device`, `wrong_organization`, `decommissioned`, `malformed_json`, `oversize`,
    /// `not_finite`, `not_a_number`, `clock_too_early`, `clock_too_late`, `unknown_metric`, `missing_metric`, …
    pub reason: String,
    /// Human-readable detail.
    pub detail: String,
    /// The topic or subject of the message.
    pub subject: String,
    /// Its organisation, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The device, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The payload as text, or as `base64:…` if it is not UTF-8; truncated to 4,096 bytes.
    pub payload: String,
}

impl DeadLetter {
    /// Converts a payload to text, or to `base64:…` if it is not UTF-8; truncates the result to 4,096 bytes.
    pub fn text(payload: &[u8]) -> String {
        let cut = &payload[..payload.len().min(MAX_PAYLOAD)];
        match std::str::from_utf8(cut) {
            Ok(text) => text.to_owned(),
            // The truncation split a multi-byte character; drop its first part instead of treating the payload as
            // binary.
            Err(error) if error.error_len().is_none() && cut.len() < payload.len() => {
                String::from_utf8_lossy(&cut[..error.valid_up_to()]).into_owned()
            }
            Err(_) => {
                // Base64 encodes 3 bytes in 4 characters.
                let most = (MAX_PAYLOAD - BASE64_MARK.len()) / 4 * 3;
                format!("{BASE64_MARK}{}", BASE64.encode(&cut[..cut.len().min(most)]))
            }
        }
    }

    /// Returns whether the payload is so long that it may have been truncated.
    pub fn may_be_cut(&self) -> bool {
        // A split character leaves up to 3 bytes unused; older versions cut base64 up to 12 characters earlier.
        let spare = if self.payload.starts_with(BASE64_MARK) { 16 } else { 4 };
        self.payload.len() + spare > MAX_PAYLOAD
    }

    /// Decodes the payload to its original bytes; `None` if it is marked as base64 but does not decode.
    pub fn payload_bytes(&self) -> Option<Vec<u8>> {
        Self::bytes_of(&self.payload)
    }

    /// Decodes a stored payload to its original bytes; `None` if it is marked as base64 but does not decode.
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
    fn payloads_are_converted_to_text_of_limited_length() {
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
