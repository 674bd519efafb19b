//! Reads the state of a stream and single messages: fill level, first and last sequence, the message at a sequence. All
//! requests go to the stream's leader, so answers are never stale.

use async_nats::jetstream::context::GetStreamError;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, PurgeError, RawMessageError, Stream as Handle};
use chrono::{DateTime, Utc};

use crate::connection::Log;
use crate::message::{Headers, Message};
use crate::position::whole_micros;
use crate::streams::Stream;

/// Why a stream could not be inspected or trimmed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stream's state could not be read.
    #[error("cannot read the state of stream {stream}")]
    State {
        /// The stream.
        stream: Stream,
        /// The server's answer.
        #[source]
        source: GetStreamError,
    },
    /// A message could not be read.
    #[error("cannot read a message of stream {stream}")]
    Message {
        /// The stream.
        stream: Stream,
        /// The server's answer.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Messages could not be removed.
    #[error("cannot trim stream {stream}")]
    Trim {
        /// The stream.
        stream: Stream,
        /// The server's answer.
        #[source]
        source: PurgeError,
    },
    /// The stream holds domain events, which are never trimmed.
    #[error("stream {0} is never trimmed")]
    Untrimmable(Stream),
}

/// The state of a stream at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// The first sequence still stored; `last_sequence + 1` when the stream is empty.
    pub first_sequence: u64,
    /// The last sequence ever assigned, 0 for a stream that never had a message.
    pub last_sequence: u64,
    /// How many messages are stored.
    pub messages: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// The stream's size limit in bytes.
    pub max_bytes: u64,
    /// How many servers store it.
    pub replicas: usize,
    /// When the stream was created, in whole microseconds.
    pub incarnation: DateTime<Utc>,
}

impl StreamState {
    /// Returns the fill level, from 0 to 1.
    pub fn fullness(&self) -> f64 {
        if self.max_bytes == 0 { 0.0 } else { self.bytes as f64 / self.max_bytes as f64 }
    }
}

impl Log {
    /// Returns the state of a stream.
    pub async fn state(&self, stream: Stream) -> Result<StreamState, Error> {
        let handle = self.jetstream().get_stream(self.stream_name(stream)).await;
        let handle = handle.map_err(|source| Error::State { stream, source })?;
        let info = handle.cached_info();
        let last_sequence = info.state.last_sequence;
        let first = info.state.first_sequence;
        Ok(StreamState {
            first_sequence: if info.state.messages == 0 { last_sequence + 1 } else { first },
            last_sequence,
            messages: info.state.messages,
            bytes: info.state.bytes,
            max_bytes: u64::try_from(info.config.max_bytes).unwrap_or(0),
            replicas: info.config.num_replicas,
            incarnation: whole_micros(instant(info.created.unix_timestamp_nanos())),
        })
    }

    /// Returns the last sequence of a stream, 0 when it never had a message.
    pub async fn last_sequence(&self, stream: Stream) -> Result<u64, Error> {
        Ok(self.state(stream).await?.last_sequence)
    }

    /// Returns the first sequence a stream still stores; one above the last when it is empty.
    pub async fn first_sequence(&self, stream: Stream) -> Result<u64, Error> {
        Ok(self.state(stream).await?.first_sequence)
    }

    /// Returns the message at a sequence, if the stream still stores it.
    pub async fn get_message(&self, stream: Stream, sequence: u64) -> Result<Option<Message>, Error> {
        let read = self.handle(stream).await?.get_raw_message(sequence).await;
        self.found(stream, read)
    }

    /// Returns the last message on `<subject root>.<subject tail>`, if there is one.
    pub async fn last_message(&self, stream: Stream, subject_tail: &str) -> Result<Option<Message>, Error> {
        let subject = self.subject(stream, subject_tail);
        let read = self.handle(stream).await?.get_last_raw_message_by_subject(&subject).await;
        self.found(stream, read)
    }

    /// Returns the first message on a subject (wildcards allowed) at or after a sequence, if there is one.
    pub async fn next_message(&self, stream: Stream, subject_tail: &str, from: u64) -> Result<Option<Message>, Error> {
        let subject = self.subject(stream, subject_tail);
        let handle = self.handle(stream).await?;
        let read = handle.raw_message_builder().sequence(from).next_by_subject(subject).send().await;
        self.found(stream, read)
    }

    /// Deletes every message below `before`, for the archiver. Errors with [`Error::Untrimmable`] for domain events.
    pub async fn trim(&self, stream: Stream, before: u64) -> Result<(), Error> {
        if stream.is_domain() {
            return Err(Error::Untrimmable(stream));
        }
        let handle = self.handle(stream).await?;
        handle.purge().sequence(before).await.map_err(|source| Error::Trim { stream, source })?;
        Ok(())
    }

    async fn handle(&self, stream: Stream) -> Result<Handle<()>, Error> {
        let handle = self.jetstream().get_stream_no_info(self.stream_name(stream)).await;
        handle.map_err(|source| Error::State { stream, source })
    }

    fn found(&self, stream: Stream, read: Result<StreamMessage, RawMessageError>) -> Result<Option<Message>, Error> {
        match read {
            Ok(raw) => Ok(Some(self.stored(stream, raw))),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::Message { stream, source: Box::new(error) }),
        }
    }

    fn stored(&self, stream: Stream, raw: StreamMessage) -> Message {
        Message {
            stream,
            subject: self.settings().unprefixed(raw.subject.as_str()).to_owned(),
            sequence: raw.sequence,
            published_at: instant(raw.time.unix_timestamp_nanos()),
            headers: Headers::from_map(raw.headers),
            payload: raw.payload,
        }
    }
}

/// Converts nanoseconds since 1970; values outside the years 1678 to 2262 become 1970.
pub(crate) fn instant(nanos: i128) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(i64::try_from(nanos).unwrap_or_default())
}
