//! The newest values of every device and asset, in Redis. The checkpoint is stored there too and moves in the same
//! script, so both are always consistent, even after Redis restarts from an older snapshot. The history is in
//! `telemetry_history`.

mod coalesce;
pub mod read;
mod store_script;
#[cfg(test)]
mod tests;

use domain::telemetry::newer_version;
use eventlog::position::Positions;
use eventlog::{Batch, Cause, Consumer, Message, Outcome, Rejection, Source, Stream, retry_until_upgraded};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use serde::{Deserialize, Serialize};

pub use store_script::digest;

use self::coalesce::coalesce;
use crate::origin_marks::OriginMarks;
use crate::ownership::Owner;
use crate::projection::BatchLimits;
use crate::runner::clip;
use crate::{Error, RedisServer, checkpoint};

/// The projection's name.
pub const NAME: &str = "latest_telemetry";
/// Short batches, because users watch these values live.
pub const BATCH_LIMITS: BatchLimits = BatchLimits { max_messages: 200, max_bytes: 600 << 10, linger_ms: 100 };

/// The Redis store of the latest values.
#[derive(Clone)]
pub struct Store {
    /// The connection.
    pub redis: ConnectionManager,
    /// The prefix of every key.
    pub key_prefix: String,
}

impl Store {
    /// Connects; errors if Redis does not answer.
    pub async fn connect(redis: &RedisServer) -> Result<Self, Error> {
        Ok(Self { redis: redis.connect().await?, key_prefix: redis.key_prefix.clone() })
    }

    fn checkpoint_key(&self) -> String {
        checkpoint_key(&self.key_prefix)
    }

    /// Removes all latest values and the checkpoint.
    pub async fn clear(&self) -> Result<(), Error> {
        let mut redis = self.redis.clone();
        let mut keys = store_script::keys(self).await?;
        keys.push(self.checkpoint_key());
        for some in keys.chunks(500) {
            let _: () = redis.del(some).await?;
        }
        Ok(())
    }
}

fn checkpoint_key(prefix: &str) -> String {
    format!("{prefix}{NAME}:checkpoint")
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    generation: i64,
    positions: Positions,
    /// Earlier versions did not store them.
    #[serde(default)]
    marks: OriginMarks,
}

/// Returns the streams that it reads.
pub fn sources() -> Vec<Source> {
    vec![Source::all(Stream::TelemetryNormalized), Source::all(Stream::TelemetryAsset)]
}

/// The projection as a consumer. Its lock and its generation are in PostgreSQL, as for every other projection.
pub struct LatestTelemetry<'a> {
    store: Store,
    owner: &'a mut Owner,
    checkpoint: Checkpoint,
    /// The checkpoint as stored in Redis, byte for byte, because the script compares it as text; empty if there is
    /// none.
    stored: String,
    must_reload: bool,
    until: Option<Positions>,
}

impl<'a> LatestTelemetry<'a> {
    /// Creates the projection, which `owner` holds.
    pub fn new(store: Store, owner: &'a mut Owner) -> Self {
        Self { store, owner, checkpoint: Checkpoint::default(), stored: String::new(), must_reload: true, until: None }
    }

    /// Makes the projection skip messages beyond `until`.
    #[must_use]
    pub fn until(mut self, until: Positions) -> Self {
        self.until = Some(until);
        self
    }

    async fn reload(&mut self) -> Result<(), Error> {
        let known = checkpoint::open(self.owner.db().await?, NAME, &sources()).await?;
        let stored: Option<String> = self.store.redis.get(self.store.checkpoint_key()).await?;
        self.stored = stored.unwrap_or_default();
        let unreadable = |source| Error::Checkpoint { name: NAME.into(), source };
        self.checkpoint = if self.stored.is_empty() {
            Checkpoint::default()
        } else {
            serde_json::from_str(&self.stored).map_err(unreadable)?
        };
        if self.checkpoint.generation != known.generation {
            self.checkpoint = Checkpoint { generation: known.generation, ..Checkpoint::default() };
        }
        self.must_reload = false;
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<Vec<Rejection>, Error> {
        if self.must_reload {
            let before = self.checkpoint.clone();
            self.reload().await?;
            // A Redis that crashed may have lost its last writes: stop, and read again from its checkpoint.
            if self.checkpoint != before {
                return Err(Error::Fenced(NAME.into()));
            }
        }
        let positions = clip(&batch.positions, &self.checkpoint.positions, self.until.as_ref());
        let fresh = |message: &&Message| {
            message.sequence > self.checkpoint.positions.sequence(message.stream)
                && self.until.as_ref().is_none_or(|until| message.sequence <= until.sequence(message.stream))
        };
        let mut marks = self.checkpoint.marks.clone();
        let (newest, rejected) = coalesce(&mut marks, batch.messages.iter().filter(fresh));
        if !rejected.is_empty() {
            return Ok(rejected);
        }
        let next = Checkpoint { generation: self.checkpoint.generation, positions, marks };
        if next == self.checkpoint {
            return Ok(Vec::new());
        }
        let unwritable = |source| Error::Checkpoint { name: NAME.into(), source };
        let text = serde_json::to_string(&next).map_err(unwritable)?;
        if !store_script::store(&self.store, &self.stored, &text, &newest).await? {
            return Err(Error::Fenced(NAME.into()));
        }
        (self.stored, self.checkpoint) = (text, next);
        Ok(Vec::new())
    }
}

impl Consumer for LatestTelemetry<'_> {
    fn name(&self) -> &str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        sources()
    }

    async fn resume(&mut self) -> Result<Positions, Cause> {
        self.reload().await?;
        Ok(self.checkpoint.positions.clone())
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        if let Some(retry) = retry_until_upgraded(batch, newer_version) {
            return retry;
        }
        match self.write(batch).await {
            Ok(rejected) if rejected.is_empty() => Outcome::Done,
            Ok(rejected) => Outcome::Reject(rejected),
            Err(Error::Fenced(name)) => Outcome::Stop(format!("another process has taken over {name}")),
            Err(error) => {
                self.must_reload = true;
                // The connection may be the cause; the retry uses a new one.
                self.owner.drop_connection();
                Outcome::Retry(error.into())
            }
        }
    }
}
