//! A packing lane combines many small items into few large messages ("packs") on one subject. At most one pack is in
//! flight; the next pack takes everything that was queued meanwhile. The caller defines how a pack is encoded and what
//! happens when it is stored.

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

/// How long a lane pauses after a failed pack, so that it does not hammer a full stream.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Limits of a [`Lane`].
#[derive(Clone, Debug)]
pub struct LaneSettings {
    /// How long the first item of a pack waits for others when nothing is in flight.
    pub linger: Duration,
    /// Maximum size of a pack, counted in the bytes passed to [`Lane::push`].
    pub max_bytes: usize,
    /// Maximum number of items in a pack.
    pub max_items: usize,
    /// How many bytes may be queued in the lane; further pushes wait for room.
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

/// One pack as returned by the encoder.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    /// Headers of the message.
    pub headers: Headers,
    /// Its payload.
    pub payload: Bytes,
}

/// Why an item was rejected. The item is handed back.
#[derive(Debug, thiserror::Error)]
pub enum PushError<T> {
    /// The lane was closed.
    #[error("the lane is closed")]
    Closed(T),
    /// The item alone exceeds the maximum pack size.
    #[error("the item exceeds the maximum pack size")]
    TooLarge(T),
}

/// A packing lane to one subject, of which it must be the only writer. Clones push into the same lane. It ends when it
/// is closed or the last clone is dropped, after its queued items are written.
pub struct Lane<T> {
    shared: Arc<Shared<T>>,
    // Only its drop matters: dropping the last clone closes the lane.
    _open: Arc<Open<T>>,
    ended: watch::Receiver<bool>,
}

impl<T> Clone for Lane<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), _open: self._open.clone(), ended: self.ended.clone() }
    }
}

impl<T: Send + 'static> Lane<T> {
    /// Starts a lane to `<subject root>.<subject tail>`. `encode` builds a message from the items of a pack. `on_done`
    /// receives each pack's items exactly once, with the stream sequence of the stored pack or the error. Both run in
    /// the lane's task and must return quickly.
    pub fn start(
        log: &Log,
        stream: Stream,
        subject_tail: &str,
        settings: LaneSettings,
        encode: impl FnMut(&[T]) -> Pack + Send + 'static,
        on_done: impl FnMut(Vec<T>, Result<u64, Arc<writer::Error>>) + Send + 'static,
    ) -> Lane<T> {
        let writer = SubjectWriter::new(log, stream, subject_tail, settings.writer.clone());
        // Room for at least one pack; otherwise an item of the maximum size could never be queued.
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

    /// Queues an item of `bytes` encoded size, waiting while the lane is full.
    pub async fn push(&self, item: T, bytes: usize) -> Result<(), PushError<T>> {
        if bytes > self.shared.settings.max_bytes {
            return Err(PushError::TooLarge(item));
        }
        // Items without bytes still take a permit, which bounds their number.
        let bytes = bytes.max(1);
        // Sizes above `max_bytes` were rejected above, and packs stay far below 4 GiB.
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        match self.shared.room.acquire_many(permits).await {
            // The permits return when the item's pack is done.
            Ok(room) => room.forget(),
            Err(_) => return Err(PushError::Closed(item)),
        }
        // The lane may have been closed while this push waited for room, so `closed` is checked under the lock.
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

    /// Returns how many items are queued.
    pub fn waiting(&self) -> usize {
        self.shared.queue().items.len()
    }

    /// Stops accepting items, and returns once the queued items are written or have failed.
    pub async fn close(&self) {
        self.shared.close();
        // The sender is dropped without a value only if the lane's task panicked; then the lane has ended too.
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

/// The next step for the lane's task.
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
        // Remaining items keep their arrival time, so that they leave with the next pack immediately.
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
                // Whether woken or timed out, check the queue again.
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
                error!(stream = name, items = items.len(), error = error_chain(&failure), "cannot store a pack");
                metrics::counter!(metric_names::PACK_FAILED_ITEMS, "stream" => name).increment(items.len() as u64);
                self.shared.room.add_permits(bytes);
                (self.on_done)(items, Err(Arc::new(failure)));
                sleep(REST_AFTER_FAILURE).await;
            }
        }
    }
}
