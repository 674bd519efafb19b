//! Rooms with their watchers and their recent messages. Telling never waits: who does not listen is sent away.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use eventlog::position::Positions;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Room;
use super::cursor::Cursor;

/// The first streams of a cursor, whose values gather between two ticks.
pub(super) const GATHERED: usize = 2;
/// How many messages may wait for a watcher before it is sent away.
const PATIENCE: usize = 16_384;
/// How many messages a room remembers for watchers that come back, and how many bytes of them.
const MEMORY: usize = 8_192;
const MEMORY_BYTES: usize = 8 << 20;
/// How long a room without watchers is kept, for those that come back.
const KEPT_EMPTY: Duration = Duration::from_secs(60);

/// One message, as every watcher of a room gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedMessage {
    /// Its name, such as `telemetry:new`.
    pub event: &'static str,
    /// Its content, JSON, written once.
    pub data: Arc<str>,
    /// Where a watcher is that has seen it. From there it gets everything else, a few values of telemetry again.
    pub position: Cursor,
}

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The watcher did not take its messages; it should load anew and come back.
    #[error("too slow: messages were waiting for too long")]
    TooSlow,
    /// The feed has ended; another process has one.
    #[error("the feed has ended")]
    Ended,
}

/// What a watcher that gave a cursor gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// It gave none, and gets what comes.
    Live,
    /// So many messages that it missed, and what comes.
    Replayed(usize),
    /// What it missed is not remembered: it should load anew; it gets what comes.
    Reload,
}

/// A watcher's place in a room. Dropped, it leaves the room.
pub struct Subscription {
    /// How it began.
    pub resumed: Resumed,
    /// Where the feed was when it began.
    pub position: Cursor,
    receiver: mpsc::Receiver<Arc<FeedMessage>>,
    closed: Arc<OnceLock<Closed>>,
    watchers: Arc<Hub>,
}

impl Subscription {
    /// Waits for the next message. Cancelling the wait loses nothing.
    pub async fn recv(&mut self) -> Result<Arc<FeedMessage>, Closed> {
        let message = self.receiver.recv().await;
        message.ok_or_else(|| self.closed.get().copied().unwrap_or(Closed::Ended))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.watchers.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Watcher {
    sender: mpsc::Sender<Arc<FeedMessage>>,
    closed: Arc<OnceLock<Closed>>,
    /// What it has seen elsewhere, where another process was ahead.
    seen: Cursor,
}

/// A message with the place that it comes from: number of the stream in a cursor, sequence.
struct Remembered {
    place: (usize, u64),
    message: Arc<FeedMessage>,
}

struct RoomState {
    watchers: Vec<Watcher>,
    recent: VecDeque<Remembered>,
    recent_bytes: usize,
    /// Up to here nothing is remembered.
    forgotten: Cursor,
    empty_since: Option<Instant>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<Room, RoomState>,
    /// How far the streams were read.
    cursor: Cursor,
    /// How far they were told: values that gather are read before they are told.
    told: Cursor,
}

/// All rooms of a process.
#[derive(Default)]
pub(super) struct Hub {
    state: Mutex<State>,
    /// How many rooms there are: without any, nothing need be decoded.
    rooms: AtomicUsize,
    watchers: AtomicUsize,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a panicking holder left is still a set of rooms.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, heads: &Positions) {
        let mut state = self.state();
        state.cursor = Cursor::of(heads);
        state.told = state.cursor;
    }

    pub(super) fn told_up_to(&self) -> Cursor {
        self.state().told
    }

    /// Notes what of the streams is still gathering: the first sequence of each that was not told yet.
    pub(super) fn settle(&self, gathering: [Option<u64>; GATHERED]) {
        let mut state = self.state();
        for (index, first) in gathering.into_iter().enumerate() {
            let told = first.map_or(state.cursor.0[index], |first| first.saturating_sub(1));
            state.told.advance(index, told);
        }
    }

    pub(super) fn watchers(&self) -> usize {
        self.watchers.load(Ordering::Relaxed)
    }

    pub(super) fn has_rooms(&self) -> bool {
        self.rooms.load(Ordering::Relaxed) > 0
    }

    /// Returns which of these rooms there are.
    pub(super) fn open<const N: usize>(&self, rooms: [Room; N]) -> [bool; N] {
        let state = self.state();
        rooms.map(|room| state.rooms.contains_key(&room))
    }

    /// Notes that a message of a stream was told, or concerned nobody.
    pub(super) fn advance(&self, index: usize, sequence: u64) {
        self.state().advance(index, sequence);
    }

    pub(super) fn subscribe(hub: &Arc<Self>, room: Room, after: Option<Cursor>) -> Subscription {
        let mut state = hub.state();
        let (cursor, position) = (state.cursor, state.told);
        let entered = state.rooms.entry(room).or_insert_with(|| RoomState::new(cursor));
        let (sender, receiver) = mpsc::channel(PATIENCE);
        let resumed = entered.resume(after, &sender);
        let closed = Arc::new(OnceLock::new());
        entered.watchers.push(Watcher { sender, closed: closed.clone(), seen: after.unwrap_or_default() });
        entered.empty_since = None;
        hub.rooms.store(state.rooms.len(), Ordering::Relaxed);
        hub.watchers.fetch_add(1, Ordering::Relaxed);
        Subscription { resumed, position, receiver, closed, watchers: hub.clone() }
    }

    /// Tells rooms, those that there are, what came from a place. The content is written once.
    pub(super) fn tell(&self, rooms: &[Room], place: (usize, u64), event: &'static str, data: &Value) {
        let mut state = self.state();
        // Of a message whose values gather, others may still be on their way here.
        if place.0 >= GATHERED {
            state.advance(place.0, place.1);
        }
        let position = state.told;
        let mut written: Option<Arc<FeedMessage>> = None;
        for room in rooms {
            let Some(room) = state.rooms.get_mut(room) else { continue };
            let message =
                written.get_or_insert_with(|| Arc::new(FeedMessage { event, data: data.to_string().into(), position }));
            room.tell(place, message);
        }
    }

    /// Removes rooms that have been without watchers for a while.
    pub(super) fn forget_empty_rooms(&self) {
        let mut state = self.state();
        let now = Instant::now();
        state.rooms.retain(|_, room| {
            room.watchers.retain(|watcher| !watcher.sender.is_closed());
            if !room.watchers.is_empty() {
                return true;
            }
            now.duration_since(*room.empty_since.get_or_insert(now)) < KEPT_EMPTY
        });
        self.rooms.store(state.rooms.len(), Ordering::Relaxed);
    }

    /// Ends all subscriptions.
    pub(super) fn close_all(&self, reason: Closed) {
        let rooms = std::mem::take(&mut self.state().rooms);
        self.rooms.store(0, Ordering::Relaxed);
        for watcher in rooms.into_values().flat_map(|room| room.watchers) {
            let _ = watcher.closed.set(reason);
        }
    }
}

impl State {
    fn advance(&mut self, index: usize, sequence: u64) {
        self.cursor.advance(index, sequence);
        if index >= GATHERED {
            self.told.advance(index, sequence);
        }
    }
}

impl RoomState {
    fn new(cursor: Cursor) -> Self {
        Self { watchers: Vec::new(), recent: VecDeque::new(), recent_bytes: 0, forgotten: cursor, empty_since: None }
    }

    fn resume(&self, after: Option<Cursor>, sender: &mpsc::Sender<Arc<FeedMessage>>) -> Resumed {
        let Some(after) = after else { return Resumed::Live };
        if self.forgotten.is_beyond(&after) {
            return Resumed::Reload;
        }
        let missed = self.recent.iter().filter(|recent| recent.place.1 > after.0[recent.place.0]);
        Resumed::Replayed(missed.filter(|recent| sender.try_send(recent.message.clone()).is_ok()).count())
    }

    fn tell(&mut self, place: (usize, u64), message: &Arc<FeedMessage>) {
        self.watchers.retain(|watcher| watcher.tell(place, message));
        self.recent_bytes += message.data.len();
        self.recent.push_back(Remembered { place, message: message.clone() });
        while self.recent.len() > MEMORY || self.recent_bytes > MEMORY_BYTES {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.message.data.len();
            self.forgotten.advance(oldest.place.0, oldest.place.1);
        }
    }
}

impl Watcher {
    /// Gives it a message; answers whether it stays.
    fn tell(&self, place: (usize, u64), message: &Arc<FeedMessage>) -> bool {
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
