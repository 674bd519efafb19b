//! The single writer of a subject: every message is stored exactly once, lost acknowledgements included. Each message
//! carries the subject's last sequence, which the server compares, and an id of its own; when an acknowledgement is
//! lost, the repetition is refused if the first was stored, and the stored message is recognised by its id. So the
//! answer is known, never guessed.

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

/// The header with the id of a message of a single writer.
pub const PACK_HEADER: &str = "Argusiq-Pack";

/// Limits of a [`SubjectWriter`].
#[derive(Clone, Debug)]
pub struct WriterSettings {
    /// How long one attempt waits for its acknowledgement.
    pub timeout: Duration,
    /// How long attempts are repeated.
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
    /// The subject could not be read to learn its last sequence, or whether a message was stored.
    #[error("cannot read the last message on {subject}")]
    Unread {
        /// The full subject.
        subject: String,
        /// The failed question.
        #[source]
        source: inspect::Error,
    },
    /// The subject was trimmed while an acknowledgement was outstanding, so what happened to it cannot be known.
    #[error("{subject} was trimmed while an acknowledgement was outstanding")]
    Trimmed {
        /// The full subject.
        subject: String,
    },
}

/// Writes messages to one subject, one after another. Nobody else may write to it meanwhile; a message of somebody
/// else is noticed, counted and written behind.
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
    /// Returns a writer of `<subject root>.<subject tail>`; the subject's last sequence is read with the first write.
    pub fn new(log: &Log, stream: Stream, subject_tail: &str, settings: WriterSettings) -> Self {
        let subject = log.subject(stream, subject_tail);
        let tail = subject_tail.to_owned();
        Self { log: log.clone(), stream, tail, subject, settings, run: random_run(), written: 0, last: None }
    }

    /// Stores one message and returns its stream sequence. Errors after the settings' deadline, or at once when the
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
                // What is still in doubt may land later, so the last sequence must be read anew.
                self.last = self.last.filter(|_| !attempt.doubtful);
                return Err(error);
            }
            metrics::counter!(metric_names::PUBLISH_RETRIES, "stream" => self.stream.name()).increment(1);
            sleep(pause).await;
            self.log.connected_by(deadline).await;
        }
    }

    /// Returns the last sequence this writer knows on its subject, if it knows one.
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
            Err(SendError::WrongLast) => self.settle(attempt, expected).await,
            Err(error) => {
                attempt.doubtful |= error.is_doubtful();
                self.refused(attempt, expected, error).await
            }
        }
    }

    /// Decides what a refused expectation means: the message of an earlier attempt, or somebody else's.
    async fn settle(&mut self, attempt: &mut Attempt, expected: u64) -> Result<u64, Error> {
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
        // Every earlier attempt expected a sequence that is gone for good, so none of them can be stored any more.
        attempt.doubtful = false;
        self.last = Some(last.sequence);
        metrics::counter!(metric_names::WRITER_CONFLICTS, "stream" => self.stream.name()).increment(1);
        warn!(
            subject = self.subject,
            expected,
            found = last.sequence,
            "somebody else wrote to a subject of one writer"
        );
        Err(self.failure(attempt, SendError::InFlight))
    }

    /// Decides what a refusal means after an attempt in doubt: a full stream may well hold the message already.
    async fn refused(&mut self, attempt: &mut Attempt, expected: u64, error: SendError) -> Result<u64, Error> {
        if attempt.doubtful && !error.is_transient() {
            let last = self.last_on_subject().await?.map_or(expected, |message| message.sequence);
            if let Some(sequence) = self.find(attempt, expected, last).await? {
                self.last = Some(last);
                return Ok(sequence);
            }
        }
        Err(self.failure(attempt, error))
    }

    /// Looks for the attempt's message among those after `expected` up to `last`.
    async fn find(&self, attempt: &Attempt, expected: u64, last: u64) -> Result<Option<u64>, Error> {
        let mut from = expected + 1;
        while from <= last {
            let next = self.log.next_message(self.stream, &self.tail, from).await.map_err(|e| self.unread(e))?;
            match next {
                None => return Ok(None),
                Some(message) if message.header(PACK_HEADER) == Some(&attempt.id) => return Ok(Some(message.sequence)),
                Some(message) => from = message.sequence + 1,
            }
        }
        Ok(None)
    }

    async fn last_on_subject(&self) -> Result<Option<crate::Message>, Error> {
        self.log.last_message(self.stream, &self.tail).await.map_err(|error| self.unread(error))
    }

    fn unread(&self, source: inspect::Error) -> Error {
        Error::Unread { subject: self.subject.clone(), source }
    }

    fn failure(&self, attempt: &Attempt, answer: SendError) -> Error {
        // `refused` has searched the subject, so a full stream certainly does not hold the message.
        let doubtful = attempt.doubtful && !matches!(answer, SendError::Full(_));
        PublishError::new(self.stream, &self.subject, attempt.payload.len(), doubtful, answer).into()
    }
}

/// One message on its way, over all attempts.
struct Attempt {
    id: String,
    headers: Headers,
    payload: Bytes,
    /// Whether an attempt may have been stored, or may yet be, without anybody knowing.
    doubtful: bool,
}

fn is_transient(error: &Error) -> bool {
    match error {
        Error::Publish(PublishError::Unacknowledged { source, .. }) => source.is_transient(),
        Error::Unread { .. } => true,
        _ => false,
    }
}

/// Returns 16 random hex digits that tell this writer's messages from every other's, those of its own earlier runs
/// included. Nothing is derived from them.
fn random_run() -> String {
    format!("{:016x}", rand::random::<u64>())
}
