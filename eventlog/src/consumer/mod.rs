//! The consume loop that every reader of the log shares. A consumer declares its sources, its checkpoint and how it
//! handles a batch; this module fetches, resumes after outages, batches, backs off, dead-letters, validates the
//! checkpoint and stops.

mod batcher;
mod dead_letter;
mod idle_progress;
pub(crate) mod reader;
mod run;
mod upgrade;

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::message::Message;
use crate::position::Positions;
use crate::streams::Stream;

pub use run::{run, run_until};
pub use upgrade::retry_until_upgraded;

pub(crate) use batcher::open_readers;

/// Any error that keeps a consumer from working.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A stream, or part of it, that a consumer reads. A consumer has at most one source per stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The stream.
    pub stream: Stream,
    /// Subject tails, wildcards allowed, such as `3.*` for one partition; empty for the whole stream. Keep the list
    /// short: the server evaluates every filter.
    pub filters: Vec<String>,
}

impl Source {
    /// Returns a source of the whole stream.
    pub fn all(stream: Stream) -> Self {
        Self { stream, filters: Vec::new() }
    }

    /// Returns a source of the messages whose subject tail matches one of the filters.
    pub fn filtered(stream: Stream, filters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { stream, filters: filters.into_iter().map(Into::into).collect() }
    }
}

/// Messages in order of arrival, which within one stream is stream order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The messages; empty when only positions moved because nothing in between matches the consumer's filters.
    pub messages: Vec<Message>,
    /// The position of every source after this batch, including streams without a message in it: the new checkpoint.
    pub positions: Positions,
}

/// The result of handling a batch.
#[derive(Debug)]
pub enum Outcome {
    /// The batch is handled, and the checkpoint is stored with its effects.
    Done,
    /// Nothing was stored; deliver the same batch again after a pause.
    Retry(Cause),
    /// Nothing was stored because these messages cannot be handled. The loop moves them to the dead letters with their
    /// reasons and delivers the batch again without them.
    Reject(Vec<Rejection>),
    /// Another process has taken over, or the work must not continue; the loop ends with [`Error::Stopped`].
    Stop(String),
}

/// A message that cannot be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its stream.
    pub stream: Stream,
    /// Its stream sequence.
    pub sequence: u64,
    /// A human-readable reason.
    pub reason: String,
}

/// A reader of the log.
pub trait Consumer: Send {
    /// Returns its name for dead letters, metrics and logs: letters, digits, `-` and `_`.
    fn name(&self) -> &str;

    /// Returns the sources it reads.
    fn sources(&self) -> Vec<Source>;

    /// Returns the positions of its checkpoint. A stream without a position is read from its first message.
    fn resume(&mut self) -> impl Future<Output = Result<Positions, Cause>> + Send;

    /// Handles a batch and stores its effects together with `batch.positions`. The loop never cancels it midway.
    fn handle(&mut self, batch: &Batch) -> impl Future<Output = Outcome> + Send;
}

/// The limits of a batch; the first limit reached closes it.
#[derive(Clone, Debug)]
pub struct ConsumeSettings {
    /// Maximum number of messages in a batch.
    pub max_messages: usize,
    /// Maximum bytes in a batch; a single larger message forms a batch of its own.
    pub max_bytes: usize,
    /// How long the first message of a batch waits for others.
    pub linger: Duration,
    /// How long a filtered source stays idle before its position moves past messages that do not match its filters.
    pub idle_advance: Duration,
}

impl Default for ConsumeSettings {
    fn default() -> Self {
        Self {
            max_messages: 500,
            max_bytes: 4 << 20,
            linger: Duration::from_millis(20),
            idle_advance: Duration::from_secs(30),
        }
    }
}

/// Why the consume loop ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The consumer's checkpoint could not be read.
    #[error("{consumer} cannot read its checkpoint")]
    Resume {
        /// The consumer's name.
        consumer: String,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// Messages were removed before they were read.
    #[error("{stream} begins at {first}, after the next sequence to read, {next}: this reader has lost messages")]
    Trimmed {
        /// The stream.
        stream: Stream,
        /// The first sequence the stream holds.
        first: u64,
        /// The next sequence to read.
        next: u64,
    },
    /// The checkpoint belongs to another stream of the same name.
    #[error("{stream} was created at {present}, but the checkpoint belongs to a stream created at {checkpoint}")]
    OtherStream {
        /// The stream.
        stream: Stream,
        /// When the checkpoint's stream was created.
        checkpoint: DateTime<Utc>,
        /// When the current stream was created.
        present: DateTime<Utc>,
    },
    /// The message at the checkpoint differs from the one that was read.
    #[error("message {sequence} of {stream} differs from the one that was read: the stream was restored or rewritten")]
    OtherHistory {
        /// The stream.
        stream: Stream,
        /// The checkpoint's sequence.
        sequence: u64,
    },
    /// The checkpoint is ahead of the stream, which has lost its end.
    #[error("{stream} ends at {last}, before the checkpoint {sequence}: the stream lost its end")]
    Ahead {
        /// The stream.
        stream: Stream,
        /// The checkpoint's sequence.
        sequence: u64,
        /// The stream's last sequence.
        last: u64,
    },
    /// A message arrived out of order.
    #[error("{stream} delivered message {sequence} after {previous}")]
    OutOfOrder {
        /// The stream.
        stream: Stream,
        /// The sequence delivered.
        sequence: u64,
        /// The sequence delivered before it.
        previous: u64,
    },
    /// A consumer declares two sources of one stream.
    #[error("the consumer declares two sources of {0}")]
    DuplicateSource(Stream),
    /// A consumer rejected messages that are not in its batch.
    #[error("{consumer} rejected messages that are not in its batch")]
    ForeignRejection {
        /// The consumer's name.
        consumer: String,
    },
    /// The consumer returned [`Outcome::Stop`].
    #[error("{consumer} stops: {reason}")]
    Stopped {
        /// The consumer's name.
        consumer: String,
        /// The reason it gave.
        reason: String,
    },
    /// All readers ended without reporting an error, as when the whole process shuts down.
    #[error("all readers have ended")]
    ReadersEnded,
}
