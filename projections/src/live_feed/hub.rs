//! Rooms with their subscribers and their recent messages. Publishing never waits: a subscriber that does not keep up
//! is disconnected.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use eventlog::position::Positions;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::cursor::Cursor;
use super::room::Room;

/// How many streams, the first of a cursor, have their values buffered between two ticks.
pub(super) const BUFFERED_STREAMS: usize = 2;
/// How many messages may wait for a subscriber before it is disconnected.
const SUBSCRIBER_BUFFER: usize = 16_384;
/// How many messages a room remembers for subscribers that reconnect, and how many bytes of them.
const MAX_REMEMBERED: usize = 8_192;
const MAX_REMEMBERED_BYTES: usize = 8 << 20;
/// How long a room without subscribers is kept for those that reconnect.
const EMPTY_ROOM_TTL: Duration = Duration::from_secs(60);

/// One message, as every subscriber of a room receives it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedMessage {
    /// Its event name, such as `telemetry:new`.
    pub event: &'static str,
    /// Its content as JSON, serialised once for all subscribers.
    pub data: Arc<str>,
    /// The cursor of a subscriber that has seen this message. Resuming from it loses nothing, but may repeat a few
    /// telemetry values.
    pub position: Cursor,
}

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The subscriber did not take its messages; it should reload and reconnect.
    #[error("the subscriber is too slow: its buffer of messages is full")]
    TooSlow,
    /// The feed has ended; the subscriber should reconnect to another process.
    #[error("the feed has ended")]
    Ended,
}

/// How a subscription starts, depending on the cursor that the subscriber gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// No cursor: it receives new messages only.
    Live,
    /// It receives this many messages that it missed, then new ones.
    Replayed(usize),
    /// What it missed is no longer remembered: it should reload; it receives new messages.
    Reload,
}

/// A subscriber's end of a room. Dropping it leaves the room.
pub struct Subscription {
    /// How the subscription started.
    pub resumed: Resumed,
    /// How far the feed had published when the subscription started.
    pub position: Cursor,
    /// How far it had read: what came before may not be sent, so a snapshot has to show it.
    pub read_up_to: Cursor,
    receiver: mpsc::Receiver<Arc<FeedMessage>>,
    closed: Arc<OnceLock<Closed>>,
    hub: Arc<Hub>,
}

impl Subscription {
    /// Waits for the next message. Cancel-safe: cancelling the wait loses no message.
    pub async fn recv(&mut self) -> Result<Arc<FeedMessage>, Closed> {
        let message = self.receiver.recv().await;
        message.ok_or_else(|| self.closed.get().copied().unwrap_or(Closed::Ended))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Subscriber {
    sender: mpsc::Sender<Arc<FeedMessage>>,
    closed: Arc<OnceLock<Closed>>,
    /// The cursor that it came with: another process may have been ahead of this one.
    seen: Cursor,
}

/// A message and where it comes from: the stream's index in a cursor, and the sequence.
struct Remembered {
    place: (usize, u64),
    message: Arc<FeedMessage>,
}

struct RoomState {
    subscribers: Vec<Subscriber>,
    recent: VecDeque<Remembered>,
    recent_bytes: usize,
    /// Messages up to this cursor are no longer remembered.
    forgotten: Cursor,
    empty_since: Option<Instant>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<Room, RoomState>,
    /// How far the streams have been read.
    cursor: Cursor,
    /// How far they have been published; buffered values are read before they are published.
    published: Cursor,
}

/// All rooms of a process.
#[derive(Default)]
pub(super) struct Hub {
    state: Mutex<State>,
    /// The number of rooms, readable without the lock: without any room, nothing needs decoding.
    rooms: AtomicUsize,
    subscribers: AtomicUsize,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        // The rooms stay usable after a panic of another holder, so a poisoned lock is no reason to stop.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start_at(&self, heads: &Positions) {
        let mut state = self.state();
        state.cursor = Cursor::of(heads);
        state.published = state.cursor;
    }

    pub(super) fn published_up_to(&self) -> Cursor {
        self.state().published
    }

    /// Moves the published cursor of the buffered streams. `unpublished` is each stream's first sequence that is still
    /// buffered, if any.
    pub(super) fn set_published(&self, unpublished: [Option<u64>; BUFFERED_STREAMS]) {
        let mut state = self.state();
        for (index, first) in unpublished.into_iter().enumerate() {
            let published = first.map_or(state.cursor.0[index], |first| first.saturating_sub(1));
            state.published.advance(index, published);
        }
    }

    pub(super) fn subscriber_count(&self) -> usize {
        self.subscribers.load(Ordering::Relaxed)
    }

    pub(super) fn has_rooms(&self) -> bool {
        self.rooms.load(Ordering::Relaxed) > 0
    }

    /// Returns which of these rooms exist.
    pub(super) fn existing<const N: usize>(&self, rooms: [Room; N]) -> [bool; N] {
        let state = self.state();
        rooms.map(|room| state.rooms.contains_key(&room))
    }

    /// Records that a message of a stream has been read, and, unless its values are buffered, published.
    pub(super) fn advance(&self, index: usize, sequence: u64) {
        self.state().advance(index, sequence);
    }

    pub(super) fn subscribe(hub: &Arc<Self>, room: Room, after: Option<Cursor>) -> Subscription {
        let mut state = hub.state();
        let (cursor, position) = (state.cursor, state.published);
        let entered = state.rooms.entry(room).or_insert_with(|| RoomState::new(cursor));
        let (sender, receiver) = mpsc::channel(SUBSCRIBER_BUFFER);
        let resumed = entered.resume(after, &sender);
        let closed = Arc::new(OnceLock::new());
        entered.subscribers.push(Subscriber { sender, closed: closed.clone(), seen: after.unwrap_or_default() });
        entered.empty_since = None;
        hub.rooms.store(state.rooms.len(), Ordering::Relaxed);
        hub.subscribers.fetch_add(1, Ordering::Relaxed);
        Subscription { resumed, position, read_up_to: cursor, receiver, closed, hub: hub.clone() }
    }

    /// Publishes an event that came from this place to those of the rooms that exist. The content is serialised once.
    pub(super) fn publish(&self, rooms: &[Room], place: (usize, u64), event: &'static str, data: &Value) {
        let mut state = self.state();
        // Other values of a buffered stream's message may still be pending, so only `set_published` moves past it.
        if place.0 >= BUFFERED_STREAMS {
            state.advance(place.0, place.1);
        }
        let position = state.published;
        let mut written: Option<Arc<FeedMessage>> = None;
        for room in rooms {
            let Some(room) = state.rooms.get_mut(room) else { continue };
            let message =
                written.get_or_insert_with(|| Arc::new(FeedMessage { event, data: data.to_string().into(), position }));
            room.publish(place, message);
        }
    }

    /// Removes rooms that have had no subscribers for `EMPTY_ROOM_TTL`.
    pub(super) fn remove_empty_rooms(&self) {
        let mut state = self.state();
        let now = Instant::now();
        state.rooms.retain(|_, room| {
            room.subscribers.retain(|subscriber| !subscriber.sender.is_closed());
            if !room.subscribers.is_empty() {
                return true;
            }
            now.duration_since(*room.empty_since.get_or_insert(now)) < EMPTY_ROOM_TTL
        });
        self.rooms.store(state.rooms.len(), Ordering::Relaxed);
    }

    /// Ends all subscriptions.
    pub(super) fn close_all(&self, reason: Closed) {
        let rooms = std::mem::take(&mut self.state().rooms);
        self.rooms.store(0, Ordering::Relaxed);
        for subscriber in rooms.into_values().flat_map(|room| room.subscribers) {
            let _ = subscriber.closed.set(reason);
        }
    }
}

impl State {
    fn advance(&mut self, index: usize, sequence: u64) {
        self.cursor.advance(index, sequence);
        if index >= BUFFERED_STREAMS {
            self.published.advance(index, sequence);
        }
    }
}

impl RoomState {
    fn new(cursor: Cursor) -> Self {
        Self { subscribers: Vec::new(), recent: VecDeque::new(), recent_bytes: 0, forgotten: cursor, empty_since: None }
    }

    fn resume(&self, after: Option<Cursor>, sender: &mpsc::Sender<Arc<FeedMessage>>) -> Resumed {
        let Some(after) = after else { return Resumed::Live };
        if self.forgotten.is_beyond(&after) {
            return Resumed::Reload;
        }
        let missed = self.recent.iter().filter(|recent| recent.place.1 > after.0[recent.place.0]);
        Resumed::Replayed(missed.filter(|recent| sender.try_send(recent.message.clone()).is_ok()).count())
    }

    fn publish(&mut self, place: (usize, u64), message: &Arc<FeedMessage>) {
        self.subscribers.retain(|subscriber| subscriber.publish(place, message));
        self.recent_bytes += message.data.len();
        self.recent.push_back(Remembered { place, message: message.clone() });
        while self.recent.len() > MAX_REMEMBERED || self.recent_bytes > MAX_REMEMBERED_BYTES {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.message.data.len();
            self.forgotten.advance(oldest.place.0, oldest.place.1);
        }
    }
}

impl Subscriber {
    /// Sends it a message; returns whether it stays subscribed.
    fn publish(&self, place: (usize, u64), message: &Arc<FeedMessage>) -> bool {
        if place.1 <= self.seen.0[place.0] {
            return true;
        }
        match self.sender.try_send(message.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                let _ = self.closed.set(Closed::TooSlow);
                metrics::counter!("argusiq_feed_watchers_dropped_total").increment(1);
                false
            }
        }
    }
}
