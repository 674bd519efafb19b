//! One unit's state with everything that makes it go on where it stopped.

use std::collections::BTreeMap;

use eventlog::{Message, Positions, Stream};

use super::HighWaterMarks;

/// A unit: its state, how far its inputs were read, and which directory its last inputs were read with.
#[derive(Clone, Debug, Default)]
pub struct UnitState<S> {
    /// How far its input streams were read.
    pub positions: Positions,
    /// The last origin seen of each source.
    pub marks: HighWaterMarks,
    /// The state itself.
    pub state: S,
    pub(super) es_positions: BTreeMap<Stream, u64>,
}

impl<S> UnitState<S> {
    /// Answers the position of the domain stream to look up at for an input that names `named`: it never shrinks within
    /// an input stream, so that two writers, one of them behind, cannot make a rule come and go.
    pub fn es_position(&mut self, message: &Message, named: u64) -> u64 {
        let held = self.es_positions.entry(message.stream).or_default();
        *held = named.max(*held);
        *held
    }

    /// Returns the same unit with another state.
    #[cfg(test)]
    pub(crate) fn with_state(&self, state: S) -> Self {
        let Self { positions, marks, es_positions, .. } = self;
        Self { positions: positions.clone(), marks: marks.clone(), state, es_positions: es_positions.clone() }
    }

    /// Tells whether a message is new to the unit.
    pub(super) fn is_new(&self, message: &Message) -> bool {
        message.sequence > self.positions.sequence(message.stream)
    }
}
