//! The single writer of a subject stores every message exactly once, even when acknowledgements are lost. Each message
//! carries the subject's expected last sequence, which the server checks, and an id. If an acknowledgement is lost and
//! the message was stored, the server refuses the retry, and the writer recognises the stored message by its id. The
//! outcome is thus known, never guessed.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::connection::Log;
use crate::inspect;
use crate::message::Headers;
use crate::metric_names;
use crate::publish_error::PublishError;
use crate::send::{EXPECTED_LAST_SUBJECT_SEQUENCE, SendError, backoff, send_once};
use crate::streams::Stream;

/// The header with the id of a single writer's message.
pub const PACK_HEADER: &str = "Argusiq-Pack";

/// Limits of a [`SubjectWriter`].
#[derive(Clone, Debug)]
pub struct WriterSettings {
    /// How long one attempt waits for its acknowledgement.
    pub timeout: Duration,
    /// How long attempts are retried.
    pub deadline: Duration,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(2), deadline: Duration::from_secs(30) }
    }
}

/// Why a message is not known to be stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The message is not known to be stored.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The subject could not be read to find its last sequence or the outcome of an attempt.
    #[error("cannot read the last message on {subject}")]
    Unread {
        /// The full subject.
        subject: String,
        /// The failed read.
        #[source]
        source: inspect::Error,
    },
    /// The subject was trimmed while an acknowledgement was outstanding, so the outcome cannot be determined.
    #[error("{subject} was trimmed while an acknowledgement was outstanding")]
    Trimmed {
        /// The full subject.
        subject: String,
    },
}

/// Writes messages to one subject, one at a time. It must be the only writer; a message of another writer is detected,
/// counted and skipped.
pub struct SubjectWriter {
    log: Log,
    stream: Stream,
    tail: String,
    subject: String,
    settings: WriterSettings,
    run: String,
    written: u64,
    last: Option<u64>,
}

impl SubjectWriter {
    /// Returns a writer of `<subject root>.<subject tail>`; the first write reads the subject's last sequence.
    pub fn new(log: &Log, stream: Stream, subject_tail: &str, settings: WriterSettings) -> Self {
        let subject = log.subject(stream, subject_tail);
        let tail = subject_tail.to_owned();
        Self { log: log.clone(), stream, tail, subject, settings, run: random_run(), written: 0, last: None }
    }

    /// Stores one message and returns its stream sequence. Errors after the settings' deadline, or immediately when the
    /// stream is full or the message too large.
    pub async fn write(&mut self, headers: Headers, payload: Bytes) -> Result<u64, Error> {
        self.written += 1;
        let id = format!("{}-{}", self.run, self.written);
        let headers = headers.with(PACK_HEADER, &id);
        let mut attempt = Attempt { id, headers, payload, doubtful: false };
        let deadline = Instant::now() + self.settings.deadline;
        let mut pauses = backoff();
        loop {
            let error = match self.attempt(&mut attempt).await {
                Ok(sequence) => return Ok(sequence),
                Err(error) => error,
            };
            let pause = pauses.next().unwrap_or(Duration::from_secs(1));
            if !is_transient(&error) || Instant::now() + pause >= deadline {
                // A message in doubt may still be stored later, so the next write must read the last sequence again.
                self.last = self.last.filter(|_| !attempt.doubtful);
                return Err(error);
            }
            metrics::counter!(metric_names::PUBLISH_RETRIES, "stream" => self.stream.name()).increment(1);
            sleep(pause).await;
            self.log.connected_by(deadline).await;
        }
    }

    /// Returns the subject's last sequence as far as this writer knows it.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    async fn attempt(&mut self, attempt: &mut Attempt) -> Result<u64, Error> {
        let expected = match self.last {
            Some(last) => last,
            None => self.last_on_subject().await?.map_or(0, |message| message.sequence),
        };
        self.last = Some(expected);
        let headers = attempt.headers.clone().with(EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
        let sent =
            send_once(&self.log, &self.subject, headers.into_map(), attempt.payload.clone(), self.settings.timeout)
                .await;
        match sent {
            Ok(ack) => {
                self.last = Some(ack.sequence);
                Ok(ack.sequence)
            }
            Err(SendError::WrongLast) => self.resolve_conflict(attempt, expected).await,
            Err(error) => {
                attempt.doubtful |= error.is_doubtful();
                self.resolve_refusal(attempt, expected, error).await
            }
        }
    }

    /// Resolves a failed sequence check: the subject holds either this message from an earlier attempt, or another
    /// writer's message.
    async fn resolve_conflict(&mut self, attempt: &mut Attempt, expected: u64) -> Result<u64, Error> {
        let Some(last) = self.last_on_subject().await? else {
            if attempt.doubtful {
                return Err(Error::Trimmed { subject: self.subject.clone() });
            }
            self.last = Some(0);
            return Err(self.failure(attempt, SendError::InFlight));
        };
        if let Some(sequence) = self.find(attempt, expected, last.sequence).await? {
            metrics::counter!(metric_names::WRITER_RECOVERED, "stream" => self.stream.name()).increment(1);
            self.last = Some(last.sequence);
            return Ok(sequence);
        }
        // Earlier attempts expected a sequence that is no longer the last one, so none of them can be stored any more.
        attempt.doubtful = false;
        self.last = Some(last.sequence);
        metrics::counter!(metric_names::WRITER_CONFLICTS, "stream" => self.stream.name()).increment(1);
        warn!(
            subject = self.subject,
            expected,
            found = last.sequence,
            "another writer wrote to a single-writer subject"
        );
        Err(self.failure(attempt, SendError::InFlight))
    }

    /// Resolves a refusal after a doubtful attempt: a full stream may already hold the message.
    async fn resolve_refusal(&mut self, attempt: &mut Attempt, expected: u64, error: SendError) -> Result<u64, Error> {
        if attempt.doubtful && !error.is_transient() {
            let last = self.last_on_subject().await?.map_or(expected, |message| message.sequence);
            if let Some(sequence) = self.find(attempt, expected, last).await? {
                self.last = Some(last);
                return Ok(sequence);
            }
        }
        Err(self.failure(attempt, error))
    }

    /// Searches for the attempt's message after `expected` and up to `last`.
    async fn find(&self, attempt: &Attempt, expected: u64, last: u64) -> Result<Option<u64>, Error> {
        let mut from = expected + 1;
        while from <= last {
            let next = self.log.next_message(self.stream, &self.tail, from).await.map_err(|e| self.read_error(e))?;
            match next {
                None => return Ok(None),
                Some(message) if message.header(PACK_HEADER) == Some(&attempt.id) => return Ok(Some(message.sequence)),
                Some(message) => from = message.sequence + 1,
            }
        }
        Ok(None)
    }

    async fn last_on_subject(&self) -> Result<Option<crate::Message>, Error> {
        self.log.last_message(self.stream, &self.tail).await.map_err(|error| self.read_error(error))
    }

    fn read_error(&self, source: inspect::Error) -> Error {
        Error::Unread { subject: self.subject.clone(), source }
    }

    fn failure(&self, attempt: &Attempt, answer: SendError) -> Error {
        // `resolve_refusal` has searched the subject, so a full stream certainly does not hold the message.
        let doubtful = attempt.doubtful && !matches!(answer, SendError::Full(_));
        PublishError::new(self.stream, &self.subject, attempt.payload.len(), doubtful, answer).into()
    }
}

/// One message being written, across all attempts.
struct Attempt {
    id: String,
    headers: Headers,
    payload: Bytes,
    /// Whether the outcome of an attempt is unknown: it may have been stored, or may still be.
    doubtful: bool,
}

fn is_transient(error: &Error) -> bool {
    match error {
        Error::Publish(PublishError::Unacknowledged { source, .. }) => source.is_transient(),
        Error::Unread { .. } => true,
        _ => false,
    }
}

/// Returns 16 random hex digits that distinguish this writer's messages from those of every other writer, including its
/// own earlier runs.
fn random_run() -> String {
    format!("{:016x}", rand::random::<u64>())
}
