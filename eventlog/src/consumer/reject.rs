//! Dead letters: what a consumer refused goes to `telemetry.dlq.<consumer>` with the reason and everything the message
//! held, so that it can be looked at and given again.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Rejection;
use crate::message::{Headers, Message};
use crate::publisher::{self, Publisher};
use crate::streams::Stream;

/// The header that names the rejected message as `<stream>/<sequence>`; a repetition after a crash has the same.
pub const REJECTED_HEADER: &str = "Argusiq-Rejected";
/// Payloads beyond this are cut, so that the letter itself stays below 512 KiB.
const KEPT_BYTES: usize = 300 << 10;

/// Publishes one dead letter and waits until it is stored.
pub(super) async fn bury(
    publisher: &Publisher,
    consumer: &str,
    message: &Message,
    rejection: &Rejection,
) -> Result<u64, publisher::Error> {
    let headers = Headers::new().with(REJECTED_HEADER, format!("{}/{}", message.stream.name(), message.sequence));
    let letter = letter(consumer, message, &rejection.reason).to_string();
    publisher.publish(Stream::TelemetryDlq, consumer, headers, Bytes::from(letter)).await
}

/// The letter: text payloads as they are, others in hexadecimal digits.
fn letter(consumer: &str, message: &Message, reason: &str) -> Value {
    let kept = &message.payload[..message.payload.len().min(KEPT_BYTES)];
    let (encoding, payload) = match std::str::from_utf8(kept) {
        Ok(text) => ("text", text.to_owned()),
        Err(_) => ("hex", hex(&kept[..kept.len().min(KEPT_BYTES / 2)])),
    };
    let headers: Map<String, Value> =
        message.headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({
        "stage": consumer,
        "reason": reason,
        "stream": message.stream.name(),
        "subject": message.subject,
        "sequence": message.sequence,
        "published_at": message.published_at,
        "headers": headers,
        "payload_bytes": message.payload.len(),
        "payload_encoding": encoding,
        "payload": payload,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
