//! What all doors of one process share: who is known, and where messages and news go. Not the doors.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use crate::config::{Clock, Limits};
use crate::directory::Directory;
use crate::directory::feed::Feed;
use crate::meters::Meters;
use crate::pipeline::Pipeline;
use crate::presence::Presence;

/// What all doors of one process share.
pub struct Shared {
    /// The platform's clock.
    pub clock: Clock,
    /// The newest state of devices, certificates and tokens.
    pub directory: Arc<Directory>,
    /// How fresh that is.
    pub feed: Arc<Feed>,
    /// Where messages go.
    pub pipeline: Arc<Pipeline>,
    /// Where comings, goings and refusals are told.
    pub presence: Arc<Presence>,
    /// Handles of metrics.
    pub meters: Arc<Meters>,
    /// Limits of connections and devices.
    pub limits: Limits,
    /// Held by whoever asks the log for news on behalf of all that wait.
    pub catch_up_lock: Mutex<()>,
}

impl Shared {
    /// Tells whether the directory is fresh enough to decide by.
    pub fn is_fresh(&self) -> bool {
        self.feed.lag().is_some_and(|lag| lag <= self.limits.max_directory_lag)
    }

    /// Waits until the directory is where the log was when this was called; answers whether it is, in time. Those who
    /// wait at the same time ask together: anybody can ask a door about somebody unknown.
    pub async fn catch_up(&self) -> bool {
        let asked = Instant::now();
        let _guard = self.catch_up_lock.lock().await;
        self.feed.lag().is_some_and(|lag| lag < asked.elapsed())
            || self.feed.catch_up(self.limits.catch_up_timeout).await
    }
}
