//! Dead letters: a rejected message is published to `telemetry.dlq.<consumer>` with the reason and its full content, so
//! that it can be inspected and redelivered.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Rejection;
use crate::message::{Headers, Message};
use crate::publish_error::PublishError;
use crate::publisher::Publisher;
use crate::streams::Stream;

/// The header that identifies the rejected message as `<stream>/<sequence>`; a dead letter repeated after a crash has
/// the same value.
pub const REJECTED_HEADER: &str = "Argusiq-Rejected";
/// Longer payloads are truncated. JSON escapes and hex digits at most double the size, so a dead letter stays below 512
/// KiB.
const KEPT_BYTES: usize = 200 << 10;
/// Longer reasons and header values are truncated, and further headers are omitted.
const KEPT_CHARS: usize = 2048;
const KEPT_HEADERS: usize = 16;

/// Publishes one dead letter and waits until it is stored.
pub(super) async fn publish(
    publisher: &Publisher,
    consumer: &str,
    message: &Message,
    rejection: &Rejection,
) -> Result<u64, PublishError> {
    let headers = Headers::new().with(REJECTED_HEADER, format!("{}/{}", message.stream.name(), message.sequence));
    let letter = letter(consumer, message, &rejection.reason).to_string();
    publisher.publish(Stream::TelemetryDlq, consumer, headers, Bytes::from(letter)).await
}

/// Builds the dead letter: text payloads as they are, others as hex digits.
fn letter(consumer: &str, message: &Message, reason: &str) -> Value {
    let kept = &message.payload[..message.payload.len().min(KEPT_BYTES)];
    let (encoding, payload) = match text(kept) {
        Some(text) => ("text", text.to_owned()),
        None => ("hex", hex(kept)),
    };
    let headers = message.headers.iter().take(KEPT_HEADERS);
    let headers: Map<String, Value> = headers.map(|(name, value)| (name.to_owned(), cut(value).into())).collect();
    json!({
        "stage": consumer,
        "reason": cut(reason),
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

/// Returns the bytes as text without a truncated last character. Returns `None` for binary data and for text with
/// control characters, which JSON escapes with six characters each.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let plain = |c: char| !c.is_ascii_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(plain).then_some(text)
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(KEPT_CHARS).map_or(text, |(end, _)| &text[..end])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(payload: impl Into<Bytes>) -> Value {
        let message = Message {
            stream: Stream::TelemetryRaw,
            subject: "telemetry.raw.v1.0".into(),
            sequence: 9,
            published_at: Default::default(),
            headers: Headers::new().with("Argusiq-Kind", "x"),
            payload: payload.into(),
        };
        letter("normalizer", &message, "not JSON")
    }

    #[test]
    fn text_is_kept_readable_and_bytes_become_hex() {
        let text = of("{ä");
        assert_eq!((&text["payload_encoding"], &text["payload"]), (&"text".into(), &"{ä".into()));
        assert_eq!(text["headers"]["Argusiq-Kind"], "x");
        let bytes = of(vec![0x00, 0xff]);
        assert_eq!((&bytes["payload_encoding"], &bytes["payload"]), (&"hex".into(), &"00ff".into()));
    }

    #[test]
    fn a_dead_letter_stays_below_the_message_limit_and_states_the_full_size() {
        let long = "€".repeat(300_000).into_bytes();
        for (payload, encoding) in
            [(vec![b'"'; 900_000], "text"), (vec![0xff; 900_000], "hex"), (vec![1; 900_000], "hex"), (long, "text")]
        {
            let letter = of(payload);
            assert!(letter.to_string().len() < 512 << 10, "{} bytes", letter.to_string().len());
            assert_eq!((&letter["payload_bytes"], &letter["payload_encoding"]), (&900_000.into(), &encoding.into()));
        }
    }
}
