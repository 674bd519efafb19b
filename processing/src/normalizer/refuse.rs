//! Dead letters of refused readings.

use bytes::Bytes;
use domain::telemetry::payload::Refusal;
use domain::telemetry::{DeadLetter, RawReading};

use super::NAME;

/// Longest payload in a dead letter, bytes.
const MAX_PAYLOAD: usize = 4_096;

/// Writes the dead letter of a refused payload, or of one reading in it.
pub fn letter(shard: &str, raw: &RawReading, refusal: &Refusal) -> DeadLetter {
    DeadLetter {
        stage: NAME.to_owned(),
        reason: refusal.reason.code().to_owned(),
        detail: refusal.detail.clone(),
        subject: format!("telemetry.raw.v1.{shard}"),
        organization: Some(raw.organization),
        device: Some(raw.device),
        received_at: raw.received_at,
        payload: shown(&raw.payload),
    }
}

/// Writes letters as JSON arrays of at most so many bytes, near enough.
pub fn cut(letters: Vec<DeadLetter>, max_bytes: usize) -> Vec<Bytes> {
    let mut arrays = Vec::new();
    let mut array: Vec<u8> = Vec::new();
    for letter in letters {
        // A letter is text and numbers; there is nothing in it that JSON cannot hold.
        let Ok(json) = serde_json::to_vec(&letter) else { continue };
        if !array.is_empty() && array.len() + json.len() > max_bytes {
            arrays.push(close(&mut array));
        }
        array.push(if array.is_empty() { b'[' } else { b',' });
        array.extend_from_slice(&json);
    }
    if !array.is_empty() {
        arrays.push(close(&mut array));
    }
    arrays
}

fn close(array: &mut Vec<u8>) -> Bytes {
    array.push(b']');
    std::mem::take(array).into()
}

/// Shows a payload as text, or as `base64:…` where it is no UTF-8; cut at 4,096 bytes.
fn shown(payload: &[u8]) -> String {
    let kept = &payload[..payload.len().min(MAX_PAYLOAD)];
    match std::str::from_utf8(kept) {
        Ok(text) => text.to_owned(),
        // The cut went through a character.
        Err(error) if error.error_len().is_none() && payload.len() > MAX_PAYLOAD => {
            String::from_utf8_lossy(&kept[..error.valid_up_to()]).into_owned()
        }
        Err(_) => format!("base64:{}", data_encoding::BASE64.encode(&kept[..kept.len().min(MAX_PAYLOAD * 3 / 4 - 8)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_text_or_base64_and_cut() {
        assert_eq!(shown(b"{}"), "{}");
        assert_eq!(shown(b"\xff\x00"), "base64:/wA=");
        assert_eq!(shown("é".repeat(3_000).as_bytes()).len(), 4_096);
        assert_eq!(shown(format!("a{}", "é".repeat(3_000)).as_bytes()).len(), 4_095);
        assert!(shown(&[0xff; 9_000]).len() <= 4_096);
    }
}
