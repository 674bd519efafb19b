//! Reads one source continuously from a position with an ephemeral pull consumer without acknowledgements. After every
//! interruption it recreates the consumer behind the last message passed on. It verifies that the stream is the one the
//! position belongs to and that no unread message was removed. Batching is in `batcher`.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::{self, message::Info};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::{Cause, Error, Source};
use crate::connection::Log;
use crate::error_chain::error_chain;
use crate::inspect::{StreamState, instant};
use crate::message::{Headers, Message};
use crate::metric_names;
use crate::position::{Position, fingerprint};
use crate::send::backoff;
use crate::streams::Stream;

/// Limits of one pull; messages requested and not yet passed on are held in memory.
const PULL_MESSAGES: usize = 500;
const PULL_BYTES: usize = 4 << 20;
/// The server's heartbeat on an idle pull; two missed heartbeats mean that the pull is gone.
const HEARTBEAT: Duration = Duration::from_secs(1);
const PULL_EXPIRES: Duration = Duration::from_secs(15);
/// How long the server keeps a consumer that no client pulls from.
const ABANDONED_AFTER: Duration = Duration::from_secs(30);

/// How long a formerly frozen leader may answer without knowing that it was replaced: it learns of the new leader
/// within one heartbeat interval, 1 s; the rest is margin.
pub(super) const OUTDATED: Duration = Duration::from_secs(3);

/// What a reader passes on.
pub(crate) struct Delivery {
    pub stream: Stream,
    pub incarnation: DateTime<Utc>,
    pub content: Content,
    /// Share of the byte budget; released when the delivery is dropped.
    pub _room: Option<OwnedSemaphorePermit>,
}

pub(crate) enum Content {
    /// A message, and how many more messages of the source are pending on the server.
    Message(Message, u64),
    /// The source has no unread message up to this sequence.
    Progress(u64),
    /// The reader cannot continue.
    Failed(Error),
}

/// State shared by all readers of one consumer.
#[derive(Clone)]
pub(crate) struct Shared {
    pub log: Log,
    pub name: String,
    pub deliveries: mpsc::Sender<Delivery>,
    /// Kibibytes that may be queued between readers and batches.
    pub budget: Arc<Semaphore>,
    pub budget_kib: u32,
    pub idle_advance: Duration,
    /// Wakes the readers to check immediately whether they are caught up.
    pub check_now: Arc<Notify>,
    pub stop: CancellationToken,
}

/// Why a read session ended.
pub(super) enum SessionEnd {
    Stopped,
    Interrupted(Cause),
    Fatal(Error),
}

impl From<Error> for SessionEnd {
    fn from(error: Error) -> Self {
        SessionEnd::Fatal(error)
    }
}

pub(crate) struct Reader {
    pub(super) shared: Shared,
    pub(super) source: Source,
    /// The last sequence that was passed on, or that was skipped because it does not match the filters.
    pub(super) position: Option<u64>,
    incarnation: Option<DateTime<Utc>>,
    hash: Option<String>,
    pub(super) passed_on: u64,
    /// The end of a replicated stream at which the source was first seen to be idle, and when that was.
    pub(super) idle_since: Option<(u64, Instant)>,
    /// Since when a replicated stream has appeared to end before the position.
    ahead_since: Option<Instant>,
}

impl Reader {
    pub(crate) fn new(shared: Shared, source: Source, from: Option<Position>) -> Self {
        let (position, incarnation, hash) = match from {
            Some(from) => (Some(from.sequence), from.incarnation, from.hash),
            None => (None, None, None),
        };
        Self { shared, source, position, incarnation, hash, passed_on: 0, idle_since: None, ahead_since: None }
    }

    /// Reads until the shared token is cancelled, the receiver is dropped, or a fatal error occurs.
    pub(crate) async fn read(mut self) {
        let mut pause = backoff();
        loop {
            let before = self.passed_on;
            match self.session().await {
                SessionEnd::Stopped => return,
                SessionEnd::Fatal(error) => return self.fail(error).await,
                SessionEnd::Interrupted(cause) => {
                    let (consumer, stream) = (&self.shared.name, self.source.stream);
                    info!(consumer, %stream, error = error_chain(cause.as_ref()), "reading was interrupted");
                    metrics::counter!(metric_names::READER_RESUMED, "stream" => self.source.stream.name()).increment(1);
                }
            }
            if self.passed_on > before {
                pause = backoff();
            }
            let stop = self.shared.stop.clone();
            let rest = pause.next().unwrap_or(HEARTBEAT);
            if stop.run_until_cancelled(sleep(rest)).await.is_none() {
                return;
            }
        }
    }

    async fn session(&mut self) -> SessionEnd {
        let stop = self.shared.stop.clone();
        let opened = stop.run_until_cancelled(self.open()).await;
        let (consumer, mut messages) = match opened {
            None => return SessionEnd::Stopped,
            Some(Ok(opened)) => opened,
            Some(Err(ended)) => return ended,
        };
        let ended = match stop.run_until_cancelled(self.pass_on(&consumer, &mut messages)).await {
            None => SessionEnd::Stopped,
            Some(ended) => ended,
        };
        // Ends the pull before its consumer is deleted.
        drop(messages);
        self.abandon(&consumer).await;
        ended
    }

    async fn open(&mut self) -> Result<(Consumer<pull::Config>, pull::Stream), SessionEnd> {
        let state = self.shared.log.state(self.source.stream).await.map_err(interrupted)?;
        if self.may_be_outdated(&state) {
            return Err(interrupted("the server that answered lacks the newest messages"));
        }
        let next = self.admit(&state)?;
        self.check_history(&state).await?;
        let name = self.shared.log.stream_name(self.source.stream);
        let created = self.shared.log.jetstream().create_consumer_on_stream(self.config(next), name).await;
        let consumer: Consumer<pull::Config> = created.map_err(interrupted)?;
        debug!(consumer = self.shared.name, stream = %self.source.stream, next, "reading");
        if consumer.cached_info().num_pending == 0 {
            self.report_progress(&state).await?;
        }
        let pull = consumer.stream().max_messages_per_batch(PULL_MESSAGES).max_bytes_per_batch(PULL_BYTES);
        let messages = pull.heartbeat(HEARTBEAT).expires(PULL_EXPIRES).messages().await.map_err(interrupted)?;
        Ok((consumer, messages))
    }

    /// Returns whether the answering server may be an outdated leader. A leader that was frozen answers for a moment
    /// with its old state, whereas a stream that really lost its end keeps appearing too short.
    fn may_be_outdated(&mut self, state: &StreamState) -> bool {
        if state.replicas < 2 || self.position.is_none_or(|position| position <= state.last_sequence) {
            self.ahead_since = None;
            return false;
        }
        self.ahead_since.get_or_insert_with(Instant::now).elapsed() < OUTDATED
    }

    /// Returns the first sequence to read after validating the position against the stream.
    fn admit(&mut self, state: &StreamState) -> Result<u64, Error> {
        let stream = self.source.stream;
        match self.incarnation {
            Some(checkpoint) if checkpoint != state.incarnation => {
                return Err(Error::OtherStream { stream, checkpoint, present: state.incarnation });
            }
            _ => self.incarnation = Some(state.incarnation),
        }
        let position = match self.position {
            Some(position) => position,
            // Domain streams are never trimmed, so a missing beginning must be reported as an error.
            None if stream.is_domain() => 0,
            None => state.first_sequence - 1,
        };
        if position > state.last_sequence {
            return Err(Error::Ahead { stream, sequence: position, last: state.last_sequence });
        }
        if position + 1 < state.first_sequence {
            return Err(Error::Trimmed { stream, first: state.first_sequence, next: position + 1 });
        }
        self.position = Some(position);
        Ok(position + 1)
    }

    /// Compares the message at the checkpoint with the recorded hash, once, if the stream still holds it.
    async fn check_history(&mut self, state: &StreamState) -> Result<(), SessionEnd> {
        let (stream, sequence) = (self.source.stream, self.position.unwrap_or(0));
        if sequence < state.first_sequence {
            return Ok(());
        }
        let Some(expected) = self.hash.clone() else { return Ok(()) };
        let message = self.shared.log.get_message(stream, sequence).await.map_err(interrupted)?;
        if message.is_some_and(|message| fingerprint(&message.payload) != expected) {
            return Err(Error::OtherHistory { stream, sequence }.into());
        }
        self.hash = None;
        Ok(())
    }

    fn config(&self, next: u64) -> pull::Config {
        let subjects = self.source.filters.iter().map(|tail| self.shared.log.subject(self.source.stream, tail));
        pull::Config {
            description: Some(self.shared.name.clone()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: next },
            ack_policy: AckPolicy::None,
            filter_subjects: subjects.collect(),
            inactive_threshold: ABANDONED_AFTER,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        }
    }

    async fn pass_on(&mut self, consumer: &Consumer<pull::Config>, messages: &mut pull::Stream) -> SessionEnd {
        let mut delivered = 0;
        let check_now = self.shared.check_now.clone();
        let mut check_at = self.next_check();
        loop {
            tokio::select! {
                // Messages first: progress is checked only while none is ready.
                biased;
                message = messages.next() => {
                    match self.take(message, delivered).await {
                        Ok(sequence) => delivered = sequence,
                        Err(ended) => return ended,
                    }
                    check_at = self.next_check();
                }
                () = check_now.notified(), if self.is_filtered() => {
                    if let Err(ended) = self.check_progress(consumer, delivered).await {
                        return ended;
                    }
                }
                () = sleep_until(check_at), if self.is_filtered() => {
                    if let Err(ended) = self.check_progress(consumer, delivered).await {
                        return ended;
                    }
                    check_at = self.next_check();
                }
            }
        }
    }

    /// Passes one message on and returns its consumer sequence.
    async fn take(
        &mut self,
        message: Option<Result<jetstream::Message, pull::MessagesError>>,
        delivered: u64,
    ) -> Result<u64, SessionEnd> {
        let message = message.ok_or_else(|| interrupted("the pull ended"))?.map_err(interrupted)?;
        let info = message.info().map_err(SessionEnd::Interrupted)?;
        let (consumer_sequence, sequence, pending) = (info.consumer_sequence, info.stream_sequence, info.pending);
        // Without acknowledgements the server does not redeliver: a gap means a lost message, and the session restarts.
        if consumer_sequence != delivered + 1 {
            return Err(interrupted(format!("message {} of the pull is missing", delivered + 1)));
        }
        let published_at = published_at(&info);
        let position = self.position.unwrap_or(0);
        if self.source.filters.is_empty() && sequence != position + 1 {
            self.check_gap(position + 1).await?;
        }
        let message = Message {
            stream: self.source.stream,
            subject: self.shared.log.settings().unprefixed(message.subject.as_str()).to_owned(),
            sequence,
            published_at,
            headers: Headers::from_map(message.message.headers.unwrap_or_default()),
            payload: message.message.payload,
        };
        self.deliver(Content::Message(message, pending)).await?;
        self.position = Some(sequence);
        self.passed_on += 1;
        Ok(consumer_sequence)
    }

    /// Checks a gap in an unfiltered source: messages were either trimmed, which is fatal, or deleted one by one.
    async fn check_gap(&self, next: u64) -> Result<(), SessionEnd> {
        let stream = self.source.stream;
        let state = self.shared.log.state(stream).await.map_err(interrupted)?;
        if state.first_sequence > next {
            return Err(Error::Trimmed { stream, first: state.first_sequence, next }.into());
        }
        Ok(())
    }

    pub(super) async fn deliver(&self, content: Content) -> Result<(), SessionEnd> {
        let room = match &content {
            Content::Message(message, _) => Some(self.room(message.size()).await?),
            _ => None,
        };
        let incarnation = self.incarnation.unwrap_or_default();
        let delivery = Delivery { stream: self.source.stream, incarnation, content, _room: room };
        self.shared.deliveries.send(delivery).await.map_err(|_| SessionEnd::Stopped)
    }

    async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, SessionEnd> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(self.shared.budget_kib);
        self.shared.budget.clone().acquire_many_owned(kib).await.map_err(|_| SessionEnd::Stopped)
    }

    async fn fail(&self, error: Error) {
        // The receiver may already be dropped; then no one needs the error.
        let _ = self.deliver(Content::Failed(error)).await;
    }

    /// Deletes the consumer on the server, which would otherwise drop it after [`ABANDONED_AFTER`].
    async fn abandon(&self, consumer: &Consumer<pull::Config>) {
        let stream = self.shared.log.stream_name(self.source.stream);
        let name = consumer.cached_info().name.clone();
        if self.shared.log.is_connected() {
            let delete = self.shared.log.jetstream().delete_consumer_from_stream(name, stream);
            // Best effort: the consumer may already be gone, and the server removes it later in any case.
            drop(timeout(HEARTBEAT, delete).await);
        }
    }
}

pub(super) fn interrupted(cause: impl Into<Cause>) -> SessionEnd {
    SessionEnd::Interrupted(cause.into())
}

fn published_at(info: &Info<'_>) -> DateTime<Utc> {
    instant(info.published.unix_timestamp_nanos())
}
