//! The live feed: publishes what happens to its subscribers, from now on. Each organisation, device, asset and
//! user has a room. Every process that has subscribers keeps its own feed in memory and reads the streams from their
//! heads; a subscriber that reconnects passes its cursor and gets what it missed, or is told to reload. Sockets and the
//! right to enter a room are the API's.

mod broadcaster;
mod cursor;
mod hub;
mod pending_values;
mod room;
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
pub use translate::rfc3339_micros;

use self::broadcaster::Broadcaster;
use self::hub::Hub;
use self::pending_values::PendingValues;
use crate::Error;

/// The projection's name.
pub const NAME: &str = "live_feed";
/// How often buffered values are published.
const TICK: Duration = Duration::from_millis(200);

/// The feed of this process; clones share it.
#[derive(Clone, Default)]
pub struct Feed {
    hub: Arc<Hub>,
}

impl Feed {
    /// Creates a feed without subscribers; it reads nothing until `run`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Subscribes to a room. `after` is the cursor of the last message that the subscriber has seen, if any.
    pub fn subscribe(&self, room: Room, after: Option<Cursor>) -> Subscription {
        Hub::subscribe(&self.hub, room, after)
    }

    /// Returns how far the feed has published what it read.
    pub fn cursor(&self) -> Cursor {
        self.hub.published_up_to()
    }

    /// Returns the number of subscribers.
    pub fn subscriber_count(&self) -> usize {
        self.hub.subscriber_count()
    }

    /// Reads the streams and publishes to the rooms until `shutdown`. Then, or when the log cannot be read, every
    /// subscription ends with `Closed::Ended`.
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
        self.hub.start_at(&heads);
        let pending = Arc::new(PendingValues::default());
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

async fn tick(hub: &Hub, pending: &PendingValues) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        pending.flush(hub);
        hub.remove_empty_rooms();
    }
}
