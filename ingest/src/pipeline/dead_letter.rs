//! Making dead letters of refused messages. Not how they are written.

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::DeadLetter;

use super::refusal::Refusal;

/// The stage that dead letters of this crate name.
pub const STAGE: &str = "ingest";
/// Longest payload text in a dead letter, octets.
const MAX_PAYLOAD_BYTES: usize = 4_096;
/// What marks a payload that is no UTF-8.
const BASE64_MARK: &str = "base64:";

/// A refused message, with what is known of its sender.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// Its sender's organisation, where it is known.
    pub organization: Option<OrganizationId>,
    /// Its sender, where it is known.
    pub device: Option<DeviceId>,
    /// The topic it came on.
    pub topic: &'a [u8],
    /// Its payload, as far as it was read.
    pub payload: &'a [u8],
    /// When it arrived.
    pub received_at: DateTime<Utc>,
}

/// Makes the dead letter of a refused message.
pub fn dead_letter(refused: &Refused<'_>, why: &Refusal) -> DeadLetter {
    DeadLetter {
        stage: STAGE.to_owned(),
        reason: why.code().to_owned(),
        detail: why.detail().into_owned(),
        subject: text(refused.topic),
        organization: refused.organization,
        device: refused.device,
        received_at: refused.received_at,
        payload: text(refused.payload),
    }
}

/// Returns octets as text, or as `base64:…` where they are no UTF-8, cut at 4,096 octets.
fn text(octets: &[u8]) -> String {
    let cut = &octets[..octets.len().min(MAX_PAYLOAD_BYTES)];
    match std::str::from_utf8(cut) {
        Ok(text) => text.to_owned(),
        // The cut went through a character: only its beginning is missing its end.
        Err(error) if error.error_len().is_none() && cut.len() < octets.len() => {
            String::from_utf8_lossy(&cut[..error.valid_up_to()]).into_owned()
        }
        Err(_) => {
            let most = (MAX_PAYLOAD_BYTES - BASE64_MARK.len()) / 4 * 3;
            format!("{BASE64_MARK}{}", BASE64.encode(&cut[..cut.len().min(most)]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_become_text_that_fits() {
        assert_eq!(text(b"{}"), "{}");
        assert_eq!(text(&[0xff, 0xfe]), "base64://4=");
        assert_eq!(text(&[b'a'; 5_000]).len(), 4_096);
        assert_eq!(text(&[0xff; 5_000]).len(), 4_095);
        let cut_through = format!("{}é", "a".repeat(4_095));
        assert_eq!(text(cut_through.as_bytes()), "a".repeat(4_095));
        assert!(text(&cut_through.as_bytes()[..4_096]).starts_with("base64:"));
    }
}
