//! The runner of all read models in PostgreSQL: writes each batch in one transaction, which also moves the checkpoint.
//! Fetching batches from the log is `eventlog`'s; what a batch means is each projection's.

use std::time::Duration;

use domain::telemetry::newer_version;
use eventlog::position::{Position, Positions};
use eventlog::{Batch, Cause, ConsumeSettings, Consumer, Message, Outcome, Rejection, Source, retry_until_upgraded};

use crate::checkpoint::{self, Checkpoint};
use crate::ownership::Owner;
use crate::projection::{BatchLimits, Written};
use crate::{Error, Projection};

/// How long a batch may take. After that the connection is dropped and the batch retried on a new one.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// A projection as a consumer of the log.
pub struct Runner<'a> {
    projection: &'a mut dyn Projection,
    owner: &'a mut Owner,
    sources: Vec<Source>,
    checkpoint: Checkpoint,
    /// The state in memory may differ from the tables, so the checkpoint must be read again before the next write.
    must_reload: bool,
    /// Messages beyond these positions are skipped.
    until: Option<Positions>,
}

impl<'a> Runner<'a> {
    /// Creates a runner for a projection that `owner` holds.
    pub fn new(projection: &'a mut dyn Projection, owner: &'a mut Owner) -> Self {
        let sources = projection.sources();
        Self { projection, owner, sources, checkpoint: Checkpoint::default(), must_reload: true, until: None }
    }

    /// Makes the runner skip messages beyond `until`.
    #[must_use]
    pub fn until(mut self, until: Positions) -> Self {
        self.until = Some(until);
        self
    }

    /// Reads the checkpoint and resets the state in memory that depends on it.
    async fn reload(&mut self) -> Result<(), Error> {
        let checkpoint = checkpoint::open(self.owner.db().await?, self.projection.name(), &self.sources).await?;
        self.projection.forget();
        if let Some(marks) = self.projection.marks() {
            *marks = checkpoint.marks.clone();
        }
        self.checkpoint = checkpoint;
        self.must_reload = false;
        Ok(())
    }

    /// Writes a batch. Returns the messages that cannot be read; if there are any, nothing is written.
    async fn write(&mut self, batch: &Batch) -> Result<Vec<Rejection>, Error> {
        if self.must_reload {
            let (generation, positions) = (self.checkpoint.generation, self.checkpoint.positions.clone());
            self.reload().await?;
            // Commits are asynchronous (`synchronous_commit = off`), so a database that crashed may have lost the last
            // ones. Writing this batch would then leave a gap: stop, and read again from the checkpoint.
            if self.checkpoint.generation != generation || self.checkpoint.positions != positions {
                return Err(Error::Fenced(self.projection.name().to_owned()));
            }
        }
        let to = clip(&batch.positions, &self.checkpoint.positions, self.until.as_ref());
        let messages: Vec<Message> =
            batch.messages.iter().filter(|message| self.is_pending(message)).cloned().collect();
        if messages.is_empty() && to == self.checkpoint.positions {
            return Ok(Vec::new());
        }
        let db = self.owner.db().await?;
        let Written { mut transaction, rejected } = self.projection.write(db, &messages).await?;
        if !rejected.is_empty() {
            transaction.rollback().await?;
            return Ok(rejected);
        }
        let (name, marks) = (self.projection.name(), self.projection.marks().cloned());
        if !checkpoint::advance(&mut transaction, name, &self.sources, &self.checkpoint, &to, marks.as_ref()).await? {
            return Err(Error::Fenced(name.to_owned()));
        }
        transaction.commit().await?;
        self.checkpoint.positions = to;
        Ok(Vec::new())
    }

    /// Returns whether a message is beyond the checkpoint and not beyond `until`.
    fn is_pending(&self, message: &Message) -> bool {
        message.sequence > self.checkpoint.positions.sequence(message.stream)
            && self.until.as_ref().is_none_or(|until| message.sequence <= until.sequence(message.stream))
    }
}

impl Consumer for Runner<'_> {
    fn name(&self) -> &str {
        self.projection.name()
    }

    fn sources(&self) -> Vec<Source> {
        self.sources.clone()
    }

    async fn resume(&mut self) -> Result<Positions, Cause> {
        self.reload().await?;
        Ok(self.checkpoint.positions.clone())
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        if let Some(retry) = retry_until_upgraded(batch, newer_version) {
            return retry;
        }
        let written = tokio::time::timeout(WRITE_TIMEOUT, self.write(batch)).await;
        match written.unwrap_or(Err(Error::Timeout(WRITE_TIMEOUT.as_secs()))) {
            Ok(rejected) if rejected.is_empty() => Outcome::Done,
            Ok(rejected) => {
                self.must_reload = true;
                Outcome::Reject(rejected)
            }
            Err(Error::Fenced(name)) => {
                Outcome::Stop(format!("the checkpoint of {name} was moved by another process; reading again from it"))
            }
            Err(error) => {
                self.must_reload = true;
                self.owner.drop_connection();
                Outcome::Retry(error.into())
            }
        }
    }
}

/// Returns the consumer settings for these batch limits.
pub fn consume_settings(limits: BatchLimits) -> ConsumeSettings {
    ConsumeSettings {
        max_messages: limits.max_messages,
        max_bytes: limits.max_bytes,
        linger: Duration::from_millis(limits.linger_ms),
        ..ConsumeSettings::default()
    }
}

/// Limits the positions of a batch to `until`, but not to less than the current positions `at`.
pub(crate) fn clip(to: &Positions, at: &Positions, until: Option<&Positions>) -> Positions {
    let Some(until) = until else { return to.clone() };
    let mut clipped = to.clone();
    for (stream, position) in to.iter() {
        let last = until.sequence(stream).max(at.sequence(stream));
        if position.sequence > last {
            clipped.set(stream, Position { sequence: last, hash: None, ..position.clone() });
        }
    }
    clipped
}
