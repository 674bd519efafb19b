//! Relays messages of another journal to JetStream, each at exactly the sequence the journal assigned, so that a retry,
//! a crash or a second relay has no effect. The journal decides when to relay.

use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;

use crate::connection::Log;
use crate::send::{EXPECTED_LAST_SUBJECT_SEQUENCE, SendError, send_once};
use crate::streams::Stream;
use crate::{inspect, message::Message};

/// The header that makes the server refuse a message unless the stream's last sequence is the given one.
const EXPECTED_LAST_SEQUENCE: &str = "Nats-Expected-Last-Sequence";

/// A message of another journal.
#[derive(Clone, Debug)]
pub struct RelayedMessage {
    /// The stream it belongs to.
    pub stream: Stream,
    /// Its sequence in the stream.
    pub position: u64,
    /// Its subject without the installation's prefix.
    pub subject: String,
    /// The position of its aggregate's previous message, 0 for the first.
    pub follows: u64,
    /// Its payload.
    pub payload: Bytes,
}

/// Why a message could not be relayed.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// JetStream has another message at this sequence: the journal and the stream are not copies of each other, and
    /// relaying must stop.
    #[error("{stream} and the event store have different messages at {position}: they do not belong together")]
    Differs {
        /// The stream.
        stream: Stream,
        /// The sequence.
        position: u64,
    },
    /// The server did not acknowledge the message; it may be stored nevertheless.
    #[error("cannot relay message {position} to {stream}")]
    Send {
        /// The stream.
        stream: Stream,
        /// The sequence.
        position: u64,
        /// The server's answer.
        #[source]
        source: SendError,
    },
    /// The stream cannot be read.
    #[error("cannot read {stream}")]
    Read {
        /// The stream.
        stream: Stream,
        /// The server's answer.
        #[source]
        source: inspect::Error,
    },
}

impl RelayedMessage {
    /// Returns whether a message in JetStream equals this one in position, subject and payload.
    pub fn matches(&self, message: &Message) -> bool {
        message.sequence == self.position && message.subject == self.subject && message.payload == self.payload
    }
}

impl Log {
    /// Stores a message at its sequence; has no effect if it is already there.
    pub async fn relay(&self, message: &RelayedMessage, timeout: Duration) -> Result<(), RelayError> {
        let RelayedMessage { stream, position, .. } = *message;
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED_LAST_SEQUENCE, position.saturating_sub(1).to_string());
        headers.insert(EXPECTED_LAST_SUBJECT_SEQUENCE, message.follows.to_string());
        let tail = message.subject.strip_prefix(stream.subject_root()).unwrap_or(&message.subject);
        let subject = self.subject(stream, tail.trim_start_matches('.'));
        let sent = send_once(self, &subject, headers, message.payload.clone(), timeout).await;
        match sent {
            Ok(ack) if ack.sequence == position => Ok(()),
            Ok(_) => Err(RelayError::Differs { stream, position }),
            // A refused or unanswered message may already be stored: by an earlier attempt or by another relay.
            Err(source) => match self.holds(message).await? {
                true => Ok(()),
                false => Err(RelayError::Send { stream, position, source }),
            },
        }
    }

    /// Returns whether JetStream holds a message; errors when it holds a different one at that sequence.
    pub async fn holds(&self, message: &RelayedMessage) -> Result<bool, RelayError> {
        let RelayedMessage { stream, position, .. } = *message;
        let found = self.get_message(stream, position).await;
        match found.map_err(|source| RelayError::Read { stream, source })? {
            None => Ok(false),
            Some(there) if message.matches(&there) => Ok(true),
            Some(_) => Err(RelayError::Differs { stream, position }),
        }
    }
}
