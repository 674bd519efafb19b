//! Packing: many small items become few large messages on one subject. At most one pack is in flight; the next takes
//! whatever has gathered meanwhile. What the items are, and what happens when their pack is stored, is the caller's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::error;

use crate::connection::Log;
use crate::error_chain::error_chain;
use crate::message::Headers;
use crate::metric_names;
use crate::streams::Stream;
use crate::writer::{self, SubjectWriter, WriterSettings};

/// How long a lane rests after a pack failed, so that a full stream is not asked again at once.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Limits of a [`Lane`].
#[derive(Clone, Debug)]
pub struct LaneSettings {
    /// How long the first item of a pack waits for company when nothing is in flight.
    pub linger: Duration,
    /// The largest pack, in the bytes that [`Lane::push`] is told.
    pub max_bytes: usize,
    /// The most items of a pack.
    pub max_items: usize,
    /// How many bytes may wait in the lane; further pushes wait for room.
    pub waiting_bytes: usize,
    /// How packs are written.
    pub writer: WriterSettings,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self {
            linger: Duration::from_millis(5),
            max_bytes: 480 << 10,
            max_items: 10_000,
            waiting_bytes: 4 << 20,
            writer: WriterSettings::default(),
        }
    }
}

/// One pack as the encoder returns it.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    /// Headers of the message.
    pub headers: Headers,
    /// Its payload.
    pub payload: Bytes,
}

/// Why an item was not taken. The item is given back.
#[derive(Debug, thiserror::Error)]
pub enum PushError<T> {
    /// The lane was closed.
    #[error("the lane is closed")]
    Closed(T),
    /// The item alone is larger than a pack may be.
    #[error("the item is larger than a pack may be")]
    TooLarge(T),
}

/// A packing lane to one subject, whose only writer it is. Clones push into the same lane; it ends when it is closed
/// or the last clone is dropped, after the items in it are written.
pub struct Lane<T> {
    shared: Arc<Shared<T>>,
    // Only its drop matters: the last clone closes the lane.
    _open: Arc<Open<T>>,
    ended: watch::Receiver<bool>,
}

impl<T> Clone for Lane<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), _open: self._open.clone(), ended: self.ended.clone() }
    }
}

impl<T: Send + 'static> Lane<T> {
    /// Starts a lane to `<subject root>.<subject tail>`. `encode` makes a message of the items of a pack; `on_done` gets
    /// each pack's items back, once, with the stream sequence the pack is stored at or the reason it is not. Both run in
    /// the lane's task and must be quick.
    pub fn start(
        log: &Log,
        stream: Stream,
        subject_tail: &str,
        settings: LaneSettings,
        encode: impl FnMut(&[T]) -> Pack + Send + 'static,
        on_done: impl FnMut(Vec<T>, Result<u64, Arc<writer::Error>>) + Send + 'static,
    ) -> Lane<T> {
        let writer = SubjectWriter::new(log, stream, subject_tail, settings.writer.clone());
        let room = Semaphore::new(settings.waiting_bytes.max(settings.max_bytes));
        let shared = Arc::new(Shared { settings, room, queue: Mutex::default(), arrived: Notify::new() });
        let (end, ended) = watch::channel(false);
        let work = Work { shared: shared.clone(), stream, writer, encode, on_done };
        tokio::spawn(async move {
            work.run().await;
            end.send_replace(true);
        });
        Lane { _open: Arc::new(Open(shared.clone())), shared, ended }
    }

    /// Puts an item of `bytes` encoded size into the lane, waiting while the lane is full.
    pub async fn push(&self, item: T, bytes: usize) -> Result<(), PushError<T>> {
        if bytes > self.shared.settings.max_bytes {
            return Err(PushError::TooLarge(item));
        }
        let bytes = bytes.max(1);
        // A size above u32 was refused above, as packs stay below 4 GiB.
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        match self.shared.room.acquire_many(permits).await {
            Ok(room) => room.forget(),
            Err(_) => return Err(PushError::Closed(item)),
        }
        let mut queue = self.shared.queue();
        if queue.closed {
            return Err(PushError::Closed(item));
        }
        let first = queue.items.is_empty();
        if first {
            queue.first_at = Some(Instant::now());
        }
        queue.items.push_back((item, bytes));
        queue.bytes += bytes;
        let full = queue.is_full(&self.shared.settings);
        drop(queue);
        if first || full {
            self.shared.arrived.notify_one();
        }
        Ok(())
    }

    /// Returns how many items wait for a pack.
    pub fn waiting(&self) -> usize {
        self.shared.queue().items.len()
    }

    /// Takes no more items, and returns when those in the lane are written or have failed.
    pub async fn close(&self) {
        self.shared.close();
        // The sender is dropped without a value only when the lane's task died, and then too it has ended.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

struct Shared<T> {
    settings: LaneSettings,
    room: Semaphore,
    queue: Mutex<Queue<T>>,
    arrived: Notify,
}

impl<T> Shared<T> {
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.queue().closed = true;
        self.room.close();
        self.arrived.notify_one();
    }
}

struct Open<T>(Arc<Shared<T>>);

impl<T> Drop for Open<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Queue<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    first_at: Option<Instant>,
    closed: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), bytes: 0, first_at: None, closed: false }
    }
}

/// What the lane's task finds in the queue.
enum Found<T> {
    Pack(Vec<T>, usize),
    WaitUntil(Instant),
    Nothing,
    End,
}

impl<T> Queue<T> {
    fn is_full(&self, settings: &LaneSettings) -> bool {
        self.bytes >= settings.max_bytes || self.items.len() >= settings.max_items
    }

    fn look(&mut self, settings: &LaneSettings) -> Found<T> {
        let Some(first_at) = self.first_at else {
            return if self.closed { Found::End } else { Found::Nothing };
        };
        let due = first_at + settings.linger;
        if self.closed || self.is_full(settings) || due <= Instant::now() {
            let (items, bytes) = self.take(settings);
            Found::Pack(items, bytes)
        } else {
            Found::WaitUntil(due)
        }
    }

    fn take(&mut self, settings: &LaneSettings) -> (Vec<T>, usize) {
        let (mut items, mut bytes) = (Vec::with_capacity(self.items.len().min(settings.max_items)), 0);
        while let Some((_, size)) = self.items.front() {
            if !items.is_empty() && (bytes + size > settings.max_bytes || items.len() >= settings.max_items) {
                break;
            }
            bytes += size;
            items.extend(self.items.pop_front().map(|(item, _)| item));
        }
        self.bytes -= bytes;
        // What stays behind has waited already; it goes with the next pack at once.
        self.first_at = self.first_at.filter(|_| !self.items.is_empty());
        (items, bytes)
    }
}

struct Work<T, E, D> {
    shared: Arc<Shared<T>>,
    stream: Stream,
    writer: SubjectWriter,
    encode: E,
    on_done: D,
}

impl<T, E, D> Work<T, E, D>
where
    E: FnMut(&[T]) -> Pack,
    D: FnMut(Vec<T>, Result<u64, Arc<writer::Error>>),
{
    async fn run(mut self) {
        loop {
            // Bound to a name so that the lock is released before waiting.
            let found = self.shared.queue().look(&self.shared.settings);
            match found {
                Found::Pack(items, bytes) => self.write(items, bytes).await,
                // Woken early or not, the queue is looked at again.
                Found::WaitUntil(due) => drop(timeout_at(due, self.shared.arrived.notified()).await),
                Found::Nothing => self.shared.arrived.notified().await,
                Found::End => return,
            }
        }
    }

    async fn write(&mut self, items: Vec<T>, bytes: usize) {
        let pack = (self.encode)(&items);
        let name = self.stream.name();
        metrics::histogram!(metric_names::PACK_ITEMS, "stream" => name).record(items.len() as f64);
        metrics::histogram!(metric_names::PACK_BYTES, "stream" => name).record(pack.payload.len() as f64);
        let started = Instant::now();
        let written = self.writer.write(pack.headers, pack.payload).await;
        match written {
            Ok(sequence) => {
                metrics::histogram!(metric_names::PUBLISH_SECONDS, "stream" => name)
                    .record(started.elapsed().as_secs_f64());
                self.shared.room.add_permits(bytes);
                (self.on_done)(items, Ok(sequence));
            }
            Err(failure) => {
                error!(stream = name, items = items.len(), error = error_chain(&failure), "a pack was not stored");
                metrics::counter!(metric_names::PACK_FAILED_ITEMS, "stream" => name).increment(items.len() as u64);
                self.shared.room.add_permits(bytes);
                (self.on_done)(items, Err(Arc::new(failure)));
                sleep(REST_AFTER_FAILURE).await;
            }
        }
    }
}
