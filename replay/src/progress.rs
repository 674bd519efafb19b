//! How far a rebuild is: a consumer that tells after every batch.

use eventlog::{Batch, Cause, Consumer, Outcome, Positions, Source};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading up to the end of the log, to compare at the same position.
    CatchingUp,
    /// Folding again from the beginning.
    Rebuilding,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The read model.
    pub name: &'static str,
    /// What is being done.
    pub phase: Phase,
    /// Positions read, all streams together.
    pub done: u64,
    /// Positions to read.
    pub total: u64,
}

pub(crate) struct Watched<'a, C> {
    pub(crate) consumer: C,
    pub(crate) name: &'static str,
    pub(crate) phase: Phase,
    pub(crate) targets: &'a Positions,
    pub(crate) tell: &'a mut (dyn FnMut(Progress) + Send),
}

impl<C> Watched<'_, C> {
    fn report(&mut self, positions: &Positions) {
        let total = self.targets.iter().map(|(_, target)| target.sequence).sum();
        let done = self.targets.iter().map(|(stream, target)| positions.sequence(stream).min(target.sequence)).sum();
        (self.tell)(Progress { name: self.name, phase: self.phase, done, total });
    }
}

impl<C: Consumer> Consumer for Watched<'_, C> {
    fn name(&self) -> &str {
        self.consumer.name()
    }

    fn sources(&self) -> Vec<Source> {
        self.consumer.sources()
    }

    async fn resume(&mut self) -> Result<Positions, Cause> {
        let positions = self.consumer.resume().await?;
        self.report(&positions);
        Ok(positions)
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        let outcome = self.consumer.handle(batch).await;
        if matches!(outcome, Outcome::Done) {
            self.report(&batch.positions);
        }
        outcome
    }
}
