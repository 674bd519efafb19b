//! The live feed: what happens, to whoever is watching, from now on. Rooms of an organisation, a device, an asset; no
//! transport. It is kept in memory by each process that has watchers, read from the head of the streams; a watcher that
//! comes back says where it was, and gets what it missed or is told to load anew. What does not live here: sockets, and
//! who may enter which room.

mod cursor;
mod hub;
mod room;
mod source;
mod telemetry;
#[cfg(test)]
mod tests;
mod translate;

use std::sync::Arc;
use std::time::Duration;

use eventlog::position::{Position, Positions};
use eventlog::{ConsumeSettings, Log};
use tokio_util::sync::CancellationToken;

pub use cursor::{Cursor, NotACursor};
pub use hub::{Closed, FeedMessage, Resumed, Subscription};
pub use room::{NotARoom, Room};

use self::hub::Hub;
use self::source::Broadcaster;
use self::telemetry::Pending;
use crate::Error;

/// The projection's name.
pub const NAME: &str = "live_feed";
/// How often values that have gathered go out.
const TICK: Duration = Duration::from_millis(200);

/// The feed of this process; clones are the same one.
#[derive(Clone, Default)]
pub struct Feed {
    hub: Arc<Hub>,
}

impl Feed {
    /// Makes a feed without watchers; nothing is read before `run`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a room. `after` is the cursor of the last message that the watcher has seen, if it has seen any.
    pub fn subscribe(&self, room: Room, after: Option<Cursor>) -> Subscription {
        Hub::subscribe(&self.hub, room, after)
    }

    /// Returns how far the feed has told what it read.
    pub fn cursor(&self) -> Cursor {
        self.hub.told_up_to()
    }

    /// Returns how many watchers there are.
    pub fn watchers(&self) -> usize {
        self.hub.watchers()
    }

    /// Reads the streams and tells the rooms, until `shutdown`. Then, or when the log cannot be read, all watchers are
    /// told that the feed has ended.
    pub async fn run(&self, log: &Log, shutdown: CancellationToken) -> Result<(), Error> {
        let ended = self.read(log, shutdown).await;
        self.hub.close_all(Closed::Ended);
        ended
    }

    async fn read(&self, log: &Log, shutdown: CancellationToken) -> Result<(), Error> {
        let mut heads = Positions::new();
        for stream in cursor::STREAMS {
            let last = log.last_sequence(stream).await.map_err(|source| Error::Stream { stream, source })?;
            heads.set(stream, Position::at(last));
        }
        self.hub.begin(&heads);
        let pending = Arc::new(Pending::default());
        let broadcaster = Broadcaster::new(self.hub.clone(), pending.clone(), heads);
        let settings = ConsumeSettings { linger: Duration::from_millis(10), ..ConsumeSettings::default() };
        tokio::select! {
            read = eventlog::run(log, broadcaster, settings, shutdown) => {
                read.map_err(|source| Error::Log { name: NAME.into(), source: source.into() })
            }
            never = tick(&self.hub, &pending) => match never {},
        }
    }
}

async fn tick(hub: &Hub, pending: &Pending) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        pending.flush(hub);
        hub.forget_empty_rooms();
    }
}
