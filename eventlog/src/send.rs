//! Sends one publish and classifies the outcome: stored, refused or unknown. Callers decide whether to retry.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::{HeaderMap, Request};
use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;

use crate::connection::Log;

/// JetStream's error code when the subject's last sequence is not the expected one.
const WRONG_LAST_SEQUENCE: u64 = 10071;
/// JetStream's error code for the same while another append to the subject is still being replicated.
const WRONG_LAST_SEQUENCE_IN_FLIGHT: u64 = 10164;
/// JetStream's error code for a message that the store refused; the description says why.
const STORE_FAILED: u64 = 10077;
/// JetStream's error codes for exhausted storage of the account or the server.
const RESOURCES_EXCEEDED: [u64; 2] = [10023, 10047];

/// The header that makes the server refuse a message unless the subject's last sequence is the given one.
pub(crate) const EXPECTED_LAST_SUBJECT_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";

/// Why a message was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The subject's last sequence is not the expected one; this message was not stored.
    #[error("the last sequence on the subject is not the expected one")]
    WrongLast,
    /// Another append to the subject is in flight; this message was not stored.
    #[error("another append to the subject is in flight")]
    InFlight,
    /// The stream or the server's storage is full; this message was not stored.
    #[error("the stream is full: {0}")]
    Full(String),
    /// The message exceeds the server's size limit; it was not sent.
    #[error("the message exceeds the server's size limit")]
    TooLarge,
    /// The connection was down; the message was not sent.
    #[error("the connection is down")]
    Disconnected,
    /// No stream listens on the subject, or none does yet after a restart; this message was not stored.
    #[error("no stream listens on the subject")]
    NoStream,
    /// No answer arrived in time, or the connection broke: the message may or may not have been stored.
    #[error("no answer from the server")]
    Unanswered(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server returned another error; the message may or may not have been stored.
    #[error("the server refused the message: {description} ({code})")]
    Refused {
        /// JetStream's error code.
        code: u64,
        /// The server's description.
        description: String,
        /// Whether the server reports itself temporarily unavailable.
        transient: bool,
    },
}

impl SendError {
    /// Returns whether a retry may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::InFlight | Self::Disconnected | Self::NoStream | Self::Unanswered(_) => true,
            Self::Refused { transient, .. } => *transient,
            Self::WrongLast | Self::Full(_) | Self::TooLarge => false,
        }
    }

    /// Returns whether the message may have been stored nevertheless.
    pub fn is_doubtful(&self) -> bool {
        matches!(self, Self::Unanswered(_) | Self::Refused { .. })
    }
}

/// Publishes one message to a full subject and waits for the answer, at most `timeout`.
pub(crate) async fn send_once(
    log: &Log,
    subject: &str,
    headers: HeaderMap,
    payload: Bytes,
    timeout: Duration,
) -> Result<PublishAck, SendError> {
    // The client would buffer a message while disconnected and send it at the reconnect, long after the caller gave up.
    if !log.is_connected() {
        return Err(SendError::Disconnected);
    }
    let mut breaks = log.breaks();
    let request = Request::new().headers(headers).payload(payload).timeout(Some(timeout));
    let answer = tokio::select! {
        answer = log.client().send_request(subject.to_owned(), request) => answer,
        // A reply to a request sent over the old connection never arrives over the new one.
        Ok(()) = breaks.changed() => return Err(SendError::Unanswered("the connection broke".into())),
    };
    match answer {
        Ok(answer) => parse(&answer.payload),
        Err(error) => Err(match error.kind() {
            RequestErrorKind::NoResponders => SendError::NoStream,
            RequestErrorKind::MaxPayloadExceeded => SendError::TooLarge,
            _ => SendError::Unanswered(Box::new(error)),
        }),
    }
}

fn parse(answer: &[u8]) -> Result<PublishAck, SendError> {
    match serde_json::from_slice::<Response<PublishAck>>(answer) {
        Ok(Response::Ok(ack)) => Ok(ack),
        Err(error) => Err(SendError::Unanswered(Box::new(error))),
        Ok(Response::Err { error }) => {
            let description = error.to_string();
            Err(match error.error_code().0 {
                WRONG_LAST_SEQUENCE => SendError::WrongLast,
                WRONG_LAST_SEQUENCE_IN_FLIGHT => SendError::InFlight,
                code if RESOURCES_EXCEEDED.contains(&code) => SendError::Full(description),
                // JetStream reports a full stream as a failed store; only the description tells them apart.
                STORE_FAILED if description.contains("maximum") => SendError::Full(description),
                code => SendError::Refused { code, description, transient: error.code() == 503 },
            })
        }
    }
}

/// Returns pauses between retries: 20 ms, doubling up to 1 s, with jitter, unlimited.
pub(crate) fn backoff() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .with_jitter()
        .without_max_times()
        .build()
}

/// Returns pauses between retries while a caller waits: 20 ms, doubling up to 200 ms, so that a new leader is found
/// quickly.
pub(crate) fn short_backoff() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_millis(200))
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: usize, err_code: u64, description: &str) -> SendError {
        let answer = serde_json::json!({"type": "x", "error": {
            "code": code, "err_code": err_code, "description": description}});
        parse(answer.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn the_servers_answers_are_classified() {
        assert_eq!(parse(br#"{"stream":"ES","seq":7}"#).unwrap().sequence, 7);
        assert!(matches!(refused(400, 10071, "wrong last sequence: 3"), SendError::WrongLast));
        assert!(matches!(refused(400, 10164, "wrong last sequence"), SendError::InFlight));
        assert!(matches!(refused(503, 10077, "maximum bytes exceeded"), SendError::Full(_)));
        assert!(matches!(refused(503, 10023, "insufficient resources"), SendError::Full(_)));
        assert!(refused(503, 10008, "JetStream system temporarily unavailable").is_transient());
        assert!(!refused(400, 10054, "message size exceeds maximum allowed").is_transient());
        assert!(parse(b"+OK").unwrap_err().is_doubtful());
    }

    #[test]
    fn pauses_grow_and_stay_below_two_seconds() {
        let pauses: Vec<_> = backoff().take(50).collect();
        assert_eq!(pauses.len(), 50);
        assert!(pauses[0] < Duration::from_millis(60));
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(2)));
    }
}
