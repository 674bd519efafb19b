//! Request counters in Redis, and the last use of API keys. They are neither a read model nor rebuildable: while Redis
//! is unavailable, requests pass uncounted. The limits themselves are the API's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use eventlog::error_chain;
use redis::aio::ConnectionManager;
use redis::{AsyncCommands, Script};
use tokio::time::{Instant, timeout};
use tracing::warn;
use uuid::Uuid;

use crate::Reader;

/// How long Redis may take to count; after that the request proceeds uncounted.
const REDIS_TIMEOUT: Duration = Duration::from_millis(150);
/// How long Redis is left alone after a failure, so that not every request waits for the timeout.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Increments each key, whose window begins with the first increment. `ARGV` holds the windows in milliseconds.
/// Returns, for each key, the count and the milliseconds until its window ends.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local answer = {}
        for i = 1, #KEYS do
            local count = redis.call('INCR', KEYS[i])
            local left = redis.call('PTTL', KEYS[i])
            if left < 0 then
                redis.call('PEXPIRE', KEYS[i], ARGV[i])
                left = tonumber(ARGV[i])
            end
            answer[2 * i - 1] = count
            answer[2 * i] = left
        end
        return answer
        ",
    )
});

/// Takes back one count if the window has not ended.
static UNCOUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local count = tonumber(redis.call('GET', KEYS[1]) or '0')
        if count > 0 then redis.call('DECR', KEYS[1]) end
        return count
        ",
    )
});

/// The request counters; cheap to clone.
#[derive(Clone)]
pub struct RateLimits {
    redis: ConnectionManager,
    prefix: String,
    began: Instant,
    /// Until when Redis is left alone, in milliseconds since `began`.
    silent_until: Arc<AtomicU64>,
}

/// The state of one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowCount {
    /// Requests in the current window, this one included.
    pub count: u64,
    /// Time until the window ends.
    pub resets_in: Duration,
}

impl RateLimits {
    /// Creates the counters on the reader's Redis connection.
    pub fn new(reader: &Reader) -> Self {
        Self {
            redis: reader.redis.clone(),
            prefix: reader.key_prefix.clone(),
            began: Instant::now(),
            silent_until: Arc::default(),
        }
    }

    /// Counts a request under each name, with that name's window; `None` while Redis is unavailable.
    pub async fn count(&self, asked: &[(String, Duration)]) -> Option<Vec<WindowCount>> {
        let mut call = COUNT.prepare_invoke();
        for (name, window) in asked {
            call.key(self.counter(name)).arg(millis(*window));
        }
        let mut redis = self.redis.clone();
        let answer: Vec<u64> = self.within(call.invoke_async(&mut redis)).await?;
        let pairs = answer.chunks_exact(2);
        Some(pairs.map(|pair| WindowCount { count: pair[0], resets_in: Duration::from_millis(pair[1]) }).collect())
    }

    /// Takes back one count of a name.
    pub async fn uncount(&self, name: &str) {
        let (mut redis, key) = (self.redis.clone(), self.counter(name));
        let _ignored: Option<i64> = self.within(UNCOUNT.prepare_invoke().key(key).invoke_async(&mut redis)).await;
    }

    /// Resets the counter of a name.
    pub async fn forget(&self, name: &str) {
        let (mut redis, key) = (self.redis.clone(), self.counter(name));
        let _ignored: Option<()> = self.within(redis.del(key)).await;
    }

    /// Records that an API key was used.
    pub async fn record_use(&self, api_key: Uuid, now: DateTime<Utc>) {
        let (mut redis, key) = (self.redis.clone(), self.last_use(api_key));
        let _ignored: Option<()> = self.within(redis.set(key, now.timestamp_millis())).await;
    }

    /// Returns when API keys were last used, in the given order; `None` if unknown.
    pub async fn last_uses(&self, api_keys: &[Uuid]) -> Vec<Option<DateTime<Utc>>> {
        if api_keys.is_empty() {
            return Vec::new();
        }
        let (mut redis, names) = (self.redis.clone(), api_keys.iter().map(|key| self.last_use(*key)));
        let names: Vec<String> = names.collect();
        let found: Vec<Option<i64>> = match self.within(redis.mget(names)).await {
            Some(found) => found,
            None => vec![None; api_keys.len()],
        };
        found.into_iter().map(|at| at.and_then(DateTime::from_timestamp_millis)).collect()
    }

    /// Waits for Redis up to `REDIS_TIMEOUT`; returns at once during the pause after a failure.
    async fn within<T>(&self, operation: impl Future<Output = redis::RedisResult<T>>) -> Option<T> {
        if millis(self.began.elapsed()) < self.silent_until.load(Ordering::Relaxed) {
            return None;
        }
        match timeout(REDIS_TIMEOUT, operation).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => warn!(error = error_chain(&error), "cannot count requests in Redis; they pass uncounted"),
            Err(_) => warn!("timed out counting requests in Redis; they pass uncounted"),
        }
        self.silent_until.store(millis(self.began.elapsed() + PAUSE_AFTER_FAILURE), Ordering::Relaxed);
        None
    }

    fn counter(&self, name: &str) -> String {
        format!("{}rate:{name}", self.prefix)
    }

    fn last_use(&self, api_key: Uuid) -> String {
        format!("{}api_key_used:{api_key}", self.prefix)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
