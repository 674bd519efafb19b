//! Dead letters of refused readings.

use bytes::Bytes;
use domain::telemetry::payload::Refusal;
use domain::telemetry::{DeadLetter, RawReading};

use super::NAME;

/// Writes the dead letter of a refused payload, or of one reading in it.
pub fn dead_letter(shard: &str, raw: &RawReading, refusal: &Refusal) -> DeadLetter {
    DeadLetter {
        stage: NAME.to_owned(),
        reason: refusal.reason.code().to_owned(),
        detail: refusal.detail.clone(),
        subject: format!("telemetry.raw.v1.{shard}"),
        organization: Some(raw.organization),
        device: Some(raw.device),
        received_at: raw.received_at,
        payload: DeadLetter::text(&raw.payload),
    }
}

/// Writes letters as JSON arrays of at most so many bytes, near enough.
pub fn json_arrays(letters: Vec<DeadLetter>, max_bytes: usize) -> Vec<Bytes> {
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
