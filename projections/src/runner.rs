//! The one runner of read models in Postgres: one transaction a batch, which also moves the checkpoint. What does not
//! live here: reading the log (`eventlog`), and what a batch means (each projection).

use std::time::Duration;

use domain::telemetry::newer_version;
use eventlog::position::{Position, Positions};
use eventlog::{Batch, Cause, ConsumeSettings, Consumer, Message, Outcome, Rejection, Source};
use sqlx::Connection;

use crate::checkpoint::{self, Checkpoint};
use crate::ownership::Owner;
use crate::projection::Pace;
use crate::{Error, Projection};

/// How long a batch may take. A database that does not answer so long is given up, and asked on a new connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// A projection at work.
pub struct Runner<'a> {
    projection: &'a mut dyn Projection,
    owner: &'a mut Owner,
    sources: Vec<Source>,
    at: Checkpoint,
    /// What is held in memory may not be what the tables hold: read the checkpoint again first.
    uncertain: bool,
    /// Messages beyond these are left alone.
    until: Option<Positions>,
}

impl<'a> Runner<'a> {
    /// Makes a runner of a projection that `owner` owns.
    pub fn new(projection: &'a mut dyn Projection, owner: &'a mut Owner) -> Self {
        let sources = projection.sources();
        Self { projection, owner, sources, at: Checkpoint::default(), uncertain: true, until: None }
    }

    /// Returns this runner leaving alone what is beyond `until`.
    #[must_use]
    pub fn until(mut self, until: Positions) -> Self {
        self.until = Some(until);
        self
    }

    /// Reads the checkpoint and everything in memory that depends on it.
    async fn open(&mut self) -> Result<(), Error> {
        let at = checkpoint::open(self.owner.db().await?, self.projection.name(), &self.sources).await?;
        self.projection.forget();
        if let Some(marks) = self.projection.marks() {
            *marks = at.marks.clone();
        }
        self.at = at;
        self.uncertain = false;
        Ok(())
    }

    /// Writes a batch; answers the messages that cannot be read, and then nothing was written.
    async fn write(&mut self, batch: &Batch) -> Result<Vec<Rejection>, Error> {
        if self.uncertain {
            let (generation, positions) = (self.at.generation, self.at.positions.clone());
            self.open().await?;
            // A database that crashed may have forgotten its last commits, which did not wait for the disk: the batches
            // before this one are then to be read again, not this one to be written behind a gap.
            if self.at.generation != generation || self.at.positions != positions {
                return Err(Error::Fenced(self.projection.name().to_owned()));
            }
        }
        let to = clip(&batch.positions, &self.at.positions, self.until.as_ref());
        let messages: Vec<Message> = batch.messages.iter().filter(|message| self.concerns(message)).cloned().collect();
        if messages.is_empty() && to == self.at.positions {
            return Ok(Vec::new());
        }
        let db = self.owner.db().await?;
        self.projection.prepare(db, &messages).await?;
        let mut transaction = db.begin().await?;
        let refused = self.projection.apply(&mut transaction, &messages).await?;
        if !refused.is_empty() {
            transaction.rollback().await?;
            return Ok(refused);
        }
        let (name, marks) = (self.projection.name(), self.projection.marks().cloned());
        if !checkpoint::advance(&mut transaction, name, &self.sources, &self.at, &to, marks.as_ref()).await? {
            return Err(Error::Fenced(name.to_owned()));
        }
        transaction.commit().await?;
        self.at.positions = to;
        Ok(Vec::new())
    }

    /// Tells whether a message is neither done already nor beyond the end.
    fn concerns(&self, message: &Message) -> bool {
        message.sequence > self.at.positions.sequence(message.stream)
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
        self.open().await?;
        Ok(self.at.positions.clone())
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        if let Some(cause) = newer(batch) {
            return Outcome::Retry(cause);
        }
        let written = tokio::time::timeout(PATIENCE, self.write(batch)).await;
        match written.unwrap_or(Err(Error::Late(PATIENCE.as_secs()))) {
            Ok(refused) if refused.is_empty() => Outcome::Done,
            Ok(refused) => {
                self.uncertain = true;
                Outcome::Reject(refused)
            }
            Err(Error::Fenced(name)) => {
                Outcome::Stop(format!("{name} is not where this process left it: it is read again from its checkpoint"))
            }
            Err(error) => {
                self.uncertain = true;
                self.owner.drop_connection();
                Outcome::Retry(error.into())
            }
        }
    }
}

/// Says that a batch holds what a newer program wrote: it waits for a newer program to read it.
pub(crate) fn newer(batch: &Batch) -> Option<Cause> {
    let packs = batch.messages.iter().filter(|message| message.stream.holds_packs());
    let version = packs.filter_map(|message| newer_version(&message.payload)).max()?;
    Some(format!("a pack has version {version}, which a newer program wrote; upgrade this process").into())
}

/// Returns how batches of a projection are cut.
pub fn settings(pace: Pace) -> ConsumeSettings {
    ConsumeSettings {
        max_messages: pace.max_messages,
        max_bytes: pace.max_bytes,
        linger: Duration::from_millis(pace.linger_ms),
        ..ConsumeSettings::default()
    }
}

/// Returns the positions of a batch, not beyond `until`, and not before `at`.
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
