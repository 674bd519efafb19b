//! What can go wrong in the event store, and what each failure says about whether events were stored.

use std::time::Duration;

use crate::streams::Stream;

/// Any cause, boxed; its text is not repeated in the message of the error that carries it.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A failure of the event store.
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
        /// The server's own words.
        description: String,
    },
    /// The events of one command are larger than one message may be. Nothing of this command is stored.
    #[error("the events of one command take {bytes} bytes, more than the {limit} a message may have")]
    TooLarge {
        /// Size of the encoded events.
        bytes: usize,
        /// The largest size a message may have.
        limit: usize,
    },
    /// The server refuses the events for a reason of its own. Nothing of this command is stored.
    #[error("the log refuses events on {subject}: {description} (code {code})")]
    Refused {
        /// The aggregate's subject.
        subject: String,
        /// JetStream's error code.
        code: u64,
        /// The server's own words.
        description: String,
    },
    /// The log does not answer, or is not reached: nothing was sent that could be stored.
    #[error("cannot {operation} on {subject}")]
    Unavailable {
        /// What was attempted.
        operation: &'static str,
        /// The aggregate's subject.
        subject: String,
        /// The client's error.
        #[source]
        source: Cause,
    },
    /// The log stopped answering while events were being stored, for longer than the deadline. They may be stored or
    /// not: repeating the command with the same command id finds out, and never stores it twice.
    #[error("after {waited:?} it is not known whether the events on {subject} are stored; repeat the command")]
    OutcomeUnknown {
        /// The aggregate's subject.
        subject: String,
        /// How long the store tried to find out.
        waited: Duration,
        /// The last failure seen.
        #[source]
        source: Cause,
    },
    /// The versions of an aggregate's events are not contiguous: the log is damaged or was tampered with.
    #[error("version {found} follows version {after} on {subject} at sequence {position}")]
    Gap {
        /// The aggregate's subject.
        subject: String,
        /// The stream sequence of the message that does not fit.
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
        /// What does not fit.
        #[source]
        source: Cause,
    },
    /// An event cannot be written in the stored form (an externally tagged variant named as its event type).
    #[error("cannot encode event {event_type}")]
    Encode {
        /// The event's type.
        event_type: String,
        /// What does not fit.
        #[source]
        source: Cause,
    },
    /// The cache feed cannot start; loading works without it, only slower.
    #[error("cannot start the cache feed")]
    Feed(#[source] Cause),
    /// An organisation, aggregate type or id cannot be part of a subject.
    #[error("{part} {value:?} is not a name of 1 to 128 letters, digits, '-', '_' or '='")]
    Name {
        /// Which part of the key is wrong.
        part: &'static str,
        /// The text refused.
        value: String,
    },
}

impl Error {
    /// Tells whether loading again and deciding again may succeed at once.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}
