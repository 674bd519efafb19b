//! Dead letters of rejected readings.

use bytes::Bytes;
use domain::telemetry::payload::Refusal;
use domain::telemetry::{DeadLetter, RawReading};

use super::NAME;

/// Returns the dead letter of a rejected payload, or of one rejected reading in it.
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

/// Encodes letters as JSON arrays of about `max_bytes` at most; a single larger letter gets an array of its own.
pub fn json_arrays(letters: Vec<DeadLetter>, max_bytes: usize) -> Vec<Bytes> {
    let mut arrays = Vec::new();
    let mut array: Vec<u8> = Vec::new();
    for letter in letters {
        // Serialising a letter cannot fail: it holds only strings, numbers and times.
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
