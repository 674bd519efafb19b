//! The one consume loop: what every reader of the log does, written once. A consumer says which streams it reads, where
//! it left off and what it does with a batch; fetching, resuming after outages, batching, backing off, dead-lettering,
//! checking its checkpoint and stopping are done here.

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

/// Why a consumer could not do its work: any error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A stream, or a part of it, that a consumer reads. A consumer has at most one source for each stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The stream.
    pub stream: Stream,
    /// Subject tails, wildcards allowed, such as `3.*` for one partition; none for the whole stream. Never thousands.
    pub filters: Vec<String>,
}

impl Source {
    /// Returns the whole of a stream.
    pub fn all(stream: Stream) -> Self {
        Self { stream, filters: Vec::new() }
    }

    /// Returns the parts of a stream whose subject tails match one of the filters.
    pub fn filtered(stream: Stream, filters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { stream, filters: filters.into_iter().map(Into::into).collect() }
    }
}

/// Messages in the order in which they arrived: within one stream in stream order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The messages; none when only positions moved, because nothing in between concerns this consumer.
    pub messages: Vec<Message>,
    /// Where every source stands after this batch, streams without a message in it included: the new checkpoint.
    pub positions: Positions,
}

/// Content a consumer did with a batch.
#[derive(Debug)]
pub enum Outcome {
    /// It is done, and the checkpoint is stored with its effects.
    Done,
    /// Nothing was stored; the same batch is wanted again after a pause.
    Retry(Cause),
    /// Nothing was stored; the named messages cannot be handled. They go to the dead letters with their reasons, and
    /// then the batch comes again without them.
    Reject(Vec<Rejection>),
    /// Somebody else does this work now, or it must not go on; the loop ends with [`Error::Stopped`].
    Stop(String),
}

/// A message that cannot be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its stream.
    pub stream: Stream,
    /// Its stream sequence.
    pub sequence: u64,
    /// Why, for people.
    pub reason: String,
}

/// Something that reads the log.
pub trait Consumer: Send {
    /// Its name, for dead letters, metrics and logs: letters, digits, `-` and `_`.
    fn name(&self) -> &str;

    /// Content it reads.
    fn sources(&self) -> Vec<Source>;

    /// Returns where it left off, from its own checkpoint. A stream without position is read from its first message.
    fn resume(&mut self) -> impl Future<Output = Result<Positions, Cause>> + Send;

    /// Handles a batch and stores its effects together with `batch.positions`. It is never cancelled half-way.
    fn handle(&mut self, batch: &Batch) -> impl Future<Output = Outcome> + Send;
}

/// How batches are cut: by whichever limit is reached first.
#[derive(Clone, Debug)]
pub struct ConsumeSettings {
    /// The most messages of a batch.
    pub max_messages: usize,
    /// The most bytes of a batch; a single larger message is a batch of its own.
    pub max_bytes: usize,
    /// How long the first message of a batch waits for company.
    pub linger: Duration,
    /// How long a filtered source is quiet before its position is moved past what does not concern it.
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
        /// Why not.
        #[source]
        source: Cause,
    },
    /// Messages that were not read yet are gone.
    #[error("{stream} begins at {first}, after the next sequence to read, {next}: messages are lost to this reader")]
    Trimmed {
        /// The stream.
        stream: Stream,
        /// The first sequence the stream holds.
        first: u64,
        /// The sequence that was to be read next.
        next: u64,
    },
    /// The checkpoint belongs to another stream of the same name.
    #[error("{stream} was created at {present}, the checkpoint belongs to one created at {checkpoint}")]
    OtherStream {
        /// The stream.
        stream: Stream,
        /// When the checkpoint's stream was created.
        checkpoint: DateTime<Utc>,
        /// When the present stream was created.
        present: DateTime<Utc>,
    },
    /// The message at the checkpoint is not the one that was read.
    #[error("message {sequence} of {stream} is not the one that was read: the stream was restored or rewritten")]
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
    /// A message came out of order.
    #[error("{stream} gave {sequence} after {previous}")]
    OutOfOrder {
        /// The stream.
        stream: Stream,
        /// The sequence that came.
        sequence: u64,
        /// The sequence before it.
        previous: u64,
    },
    /// A consumer has two sources of one stream.
    #[error("there are two sources of {0}")]
    DuplicateSource(Stream),
    /// A consumer rejected messages that are not in its batch.
    #[error("{consumer} rejected messages that are not in its batch")]
    ForeignRejection {
        /// The consumer's name.
        consumer: String,
    },
    /// The consumer wants to stop.
    #[error("{consumer} stops: {reason}")]
    Stopped {
        /// The consumer's name.
        consumer: String,
        /// Why.
        reason: String,
    },
    /// A reader ended without a reason, in a shutdown of the whole process.
    #[error("the readers have ended")]
    ReadersEnded,
}
