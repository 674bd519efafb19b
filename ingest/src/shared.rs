//! State shared by all doors of one process.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use crate::config::{Clock, Limits};
use crate::directory::Directory;
use crate::directory::feed::Feed;
use crate::meters::Meters;
use crate::pipeline::Pipeline;
use crate::presence::Presence;

/// State shared by all doors of one process.
pub struct Shared {
    /// The platform's clock.
    pub clock: Clock,
    /// The latest state of devices, certificates and tokens.
    pub directory: Arc<Directory>,
    /// Keeps the directory fresh and knows its lag.
    pub feed: Arc<Feed>,
    /// Where messages go.
    pub pipeline: Arc<Pipeline>,
    /// Where presence facts go.
    pub presence: Arc<Presence>,
    /// Metric handles.
    pub meters: Arc<Meters>,
    /// Limits of connections and devices.
    pub limits: Limits,
    /// Held while one task catches up with the log on behalf of all waiting ones.
    pub catch_up_lock: Mutex<()>,
}

impl Shared {
    /// Tells whether the directory is fresh enough to decide by.
    pub fn is_fresh(&self) -> bool {
        self.feed.lag().is_some_and(|lag| lag <= self.limits.max_directory_lag)
    }

    /// Waits until the directory has reached the log's head as of this call; returns whether it did in time. Concurrent
    /// callers share one request, because anyone can make a door look for an unknown device.
    pub async fn catch_up(&self) -> bool {
        let called_at = Instant::now();
        let _guard = self.catch_up_lock.lock().await;
        // Another task may have caught up while this one waited for the lock.
        self.feed.lag().is_some_and(|lag| lag < called_at.elapsed())
            || self.feed.catch_up(self.limits.catch_up_timeout).await
    }
}
