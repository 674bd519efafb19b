//! The event store's errors, and what each says about whether events were stored.

use std::time::Duration;

use crate::streams::Stream;

/// Any boxed cause; the error that carries it does not repeat its text.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An event store error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another command was stored first: load again and decide again. Nothing of this command is stored.
    #[error("another command changed {subject} after sequence {expected}")]
    Conflict {
        /// The aggregate's subject.
        subject: String,
        /// The stream sequence this command expected to follow.
        expected: u64,
    },
    /// The stream has reached its size limit and refuses further events. Nothing of this command is stored.
    #[error("stream {stream:?} is full: {description}")]
    Full {
        /// The stream that is full.
        stream: Stream,
        /// The server's description.
        description: String,
    },
    /// The events of one command exceed the message size limit. Nothing of this command is stored.
    #[error("the events of one command take {bytes} bytes, above the limit of {limit} bytes per message")]
    TooLarge {
        /// Size of the encoded events.
        bytes: usize,
        /// The maximum size of a message.
        limit: usize,
    },
    /// The server refuses the events for another reason. Nothing of this command is stored.
    #[error("the log refuses events on {subject}: {description} (code {code})")]
    Refused {
        /// The aggregate's subject.
        subject: String,
        /// JetStream's error code.
        code: u64,
        /// The server's description.
        description: String,
    },
    /// The log is unreachable or does not answer, and nothing was sent that could have been stored.
    #[error("cannot {operation} on {subject}")]
    Unavailable {
        /// The attempted operation.
        operation: &'static str,
        /// The aggregate's subject.
        subject: String,
        /// The client's error.
        #[source]
        source: Cause,
    },
    /// The log stopped answering during the append for longer than the deadline, so the events may or may not be
    /// stored. Repeating the command with the same command id finds out, and never stores it twice.
    #[error("after {waited:?} it is unknown whether the events on {subject} are stored; repeat the command")]
    OutcomeUnknown {
        /// The aggregate's subject.
        subject: String,
        /// How long the store tried to find out.
        waited: Duration,
        /// The last error.
        #[source]
        source: Cause,
    },
    /// The versions of an aggregate's events are not contiguous: the log is damaged or was tampered with.
    #[error("version {found} follows version {after} on {subject} at sequence {position}")]
    Gap {
        /// The aggregate's subject.
        subject: String,
        /// The stream sequence of the message that does not follow.
        position: u64,
        /// The version before it.
        after: u64,
        /// The version found.
        found: u64,
    },
    /// A stored message cannot be read as events of this aggregate.
    #[error("cannot decode the events at sequence {position} of {subject}")]
    Decode {
        /// The aggregate's subject.
        subject: String,
        /// The message's stream sequence.
        position: u64,
        /// The decoding or encoding error.
        #[source]
        source: Cause,
    },
    /// An event cannot be serialised in the stored form (an externally tagged variant named like its event type).
    #[error("cannot encode event {event_type}")]
    Encode {
        /// The event's type.
        event_type: String,
        /// The decoding or encoding error.
        #[source]
        source: Cause,
    },
    /// The cache feed cannot start; loading works without it, but more slowly.
    #[error("cannot start the cache feed")]
    Feed(#[source] Cause),
    /// An organisation, aggregate type or id is not valid in a subject.
    #[error("{part} {value:?} must be 1 to 128 letters, digits, '-', '_' or '='")]
    Name {
        /// The invalid part of the key.
        part: &'static str,
        /// Its value.
        value: String,
    },
}

impl Error {
    /// Returns whether loading and deciding again may succeed immediately.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}
