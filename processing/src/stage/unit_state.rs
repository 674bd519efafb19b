//! The state of one unit, with the positions from which it resumes.

use std::collections::BTreeMap;

use eventlog::{Message, Positions, Stream};

use super::high_water_marks::HighWaterMarks;

/// The state of a unit, how far it has read its inputs, and the directory positions that it last used.
#[derive(Clone, Debug, Default)]
pub struct UnitState<S> {
    /// How far it has read its input streams.
    pub positions: Positions,
    /// The last origin read from each source.
    pub marks: HighWaterMarks,
    /// The stage's own state.
    pub state: S,
    pub(super) es_positions: BTreeMap<Stream, u64>,
}

impl<S> UnitState<S> {
    /// Returns the domain-stream position at which to look up the directory for an input that names position `named`.
    /// It never decreases within one input stream: otherwise two writers, one of them behind, could make a rule appear
    /// and disappear in turn.
    pub fn es_position(&mut self, message: &Message, named: u64) -> u64 {
        let held = self.es_positions.entry(message.stream).or_default();
        *held = named.max(*held);
        *held
    }

    /// Copies the unit with another state.
    #[cfg(test)]
    pub(crate) fn with_state(&self, state: S) -> Self {
        let Self { positions, marks, es_positions, .. } = self;
        Self { positions: positions.clone(), marks: marks.clone(), state, es_positions: es_positions.clone() }
    }

    /// Whether the unit has not read the message yet.
    pub(super) fn is_new(&self, message: &Message) -> bool {
        message.sequence > self.positions.sequence(message.stream)
    }
}
