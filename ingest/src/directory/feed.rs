//! Keeps the directory up to date with the log and measures its lag.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use eventlog::{Follower, Log, Message, Positions, Source, Stream, follow};
use metrics::gauge;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metric_names::DIRECTORY_LAG_SECONDS;

/// How often the directory is compared with the head of the log.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Delay after a failed attempt of the first comparison.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// Timeout of one comparison.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The directory can no longer follow the log.
#[derive(Debug, thiserror::Error)]
#[error("the directory cannot follow the log")]
pub struct Error(#[source] Arc<eventlog::consumer::Error>);

/// Follows the log and tracks how fresh the directory is.
pub struct Feed {
    follower: Follower,
    started: Instant,
    /// When the directory was last seen at the head of the log: milliseconds after `started` plus one, 0 for never.
    fresh_at: AtomicU64,
}

impl Feed {
    /// Starts folding the log's domain events from the beginning.
    pub async fn start(log: &Log, fold: impl FnMut(&Message) + Send + 'static, shutdown: CancellationToken) -> Self {
        let follower = follow(log, vec![Source::all(Stream::Es)], Positions::default(), fold, shutdown).await;
        Self { follower, started: Instant::now(), fresh_at: AtomicU64::new(0) }
    }

    /// Waits until all events now in the log are folded; returns whether that succeeded in time.
    pub async fn catch_up(&self, within: Duration) -> bool {
        // Freshness counts from before the comparison: events may have been appended since.
        let called_at = Instant::now();
        let caught_up = self.follower.caught_up(within).await.is_ok();
        if caught_up {
            let at = called_at.duration_since(self.started).as_millis() as u64 + 1;
            self.fresh_at.fetch_max(at, Relaxed);
        }
        caught_up
    }

    /// Waits until the directory has caught up with the log for the first time.
    pub async fn ready(&self) -> Result<(), Error> {
        while !self.catch_up(CHECK_TIMEOUT).await {
            if let Some(failure) = self.follower.failure() {
                return Err(Error(failure));
            }
            // The attempt fails immediately while the log is unreachable, so pause.
            sleep(RETRY_DELAY).await;
        }
        Ok(())
    }

    /// Returns how long ago the directory was at the head of the log; `None` if it never was.
    pub fn lag(&self) -> Option<Duration> {
        let fresh_at = Duration::from_millis(self.fresh_at.load(Relaxed).checked_sub(1)?);
        Some(self.started.elapsed().saturating_sub(fresh_at))
    }

    /// Compares with the head of the log periodically; returns only when the log can no longer be followed.
    pub async fn watch(&self) -> Error {
        loop {
            self.catch_up(CHECK_TIMEOUT).await;
            if let Some(failure) = self.follower.failure() {
                return Error(failure);
            }
            gauge!(DIRECTORY_LAG_SECONDS).set(self.lag().map_or(f64::INFINITY, |lag| lag.as_secs_f64()));
            sleep(CHECK_INTERVAL).await;
        }
    }
}
