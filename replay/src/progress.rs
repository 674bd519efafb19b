//! Reports the progress of a rebuild after every batch.

use eventlog::{Batch, Cause, Consumer, Outcome, Positions, Source};

/// A phase of a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading to the end of the log, so that both digests are taken at the same positions.
    CatchingUp,
    /// Folding again from the beginning.
    Rebuilding,
}

/// The progress of a rebuild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The read model.
    pub name: &'static str,
    /// The current phase.
    pub phase: Phase,
    /// Positions read, summed over the streams.
    pub done: u64,
    /// Positions to read, summed over the streams.
    pub total: u64,
}

/// A consumer that reports progress after each batch of the inner one.
pub(crate) struct ReportingConsumer<'a, C> {
    pub(crate) consumer: C,
    pub(crate) name: &'static str,
    pub(crate) phase: Phase,
    pub(crate) targets: &'a Positions,
    pub(crate) report: &'a mut (dyn FnMut(Progress) + Send),
}

impl<C> ReportingConsumer<'_, C> {
    fn report(&mut self, positions: &Positions) {
        let total = self.targets.iter().map(|(_, target)| target.sequence).sum();
        let done = self.targets.iter().map(|(stream, target)| positions.sequence(stream).min(target.sequence)).sum();
        (self.report)(Progress { name: self.name, phase: self.phase, done, total });
    }
}

impl<C: Consumer> Consumer for ReportingConsumer<'_, C> {
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
