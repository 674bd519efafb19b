//! The contract between a stage and the loop that runs it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::directory::Directory;
use eventlog::{Message, PARTITIONS, Source};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::effects::Effects;
use super::unit_state::UnitState;

/// A stage turns events into events and commands. It is deterministic: the same input gives the same output, however
/// the input is split into batches and however often its tail is recomputed after a crash.
pub trait Stage: Send + Sync + 'static {
    /// Name of the consumer, the kind of ownership, the snapshot keys and the actor of its commands.
    const NAME: &'static str;
    /// The number of units that its work is divided into; each unit has its own state and one owner at a time.
    const UNITS: u16;
    /// Version of the state's format; a snapshot of another version stops the stage.
    const STATE_VERSION: u32;
    /// How long the first message of a batch waits for more. The log syncs every stored message separately (about 0.2
    /// ms of CPU and 1 ms of time), so a few large messages are far cheaper than many small ones.
    const LINGER: Duration;

    /// The state of a unit.
    type State: Default + Serialize + DeserializeOwned + Send + Sync;
    /// A decoded input message.
    type Input: Send + Sync;
    /// What a batch accumulates before it becomes messages.
    type Output: Default + Send;

    /// Returns the sources that these units read.
    fn sources(units: &BTreeSet<u16>) -> Vec<Source>;

    /// Returns the unit that an input message belongs to; none where the message is not for this stage.
    fn unit(message: &Message) -> Option<u16>;

    /// Decodes an input message. A message that fails goes to the dead letters unchanged, with the returned reason.
    fn decode(message: &Message) -> Result<Self::Input, String>;

    /// Returns the domain-stream position that the directory must have reached before this input is processed.
    fn es_position(_input: &Self::Input) -> u64 {
        0
    }

    /// Whether the directory lacks something that the input names. If so, the directory catches up with the head of the
    /// domain stream before the step.
    fn needs_newer_directory(_directory: &Directory, _input: &Self::Input) -> bool {
        false
    }

    /// Applies one input message to the unit's state and to the output.
    fn step(&self, context: StepContext<'_, Self::State>, input: Self::Input, output: &mut Self::Output);

    /// Turns the accumulated output of a batch into messages and commands.
    fn effects(&self, output: Self::Output) -> Effects;
}

/// The surroundings of one step.
pub struct StepContext<'a, S> {
    /// The directory, at or after the positions that the input names.
    pub directory: &'a Directory,
    /// The input message.
    pub message: &'a Message,
    /// The unit's state and high-water marks.
    pub unit: &'a mut UnitState<S>,
}

/// Returns the subject filters for some units. For all units there are none: reading the whole stream is cheaper than a
/// long list of filters.
pub fn filters<S: Stage>(units: &BTreeSet<u16>, tail: impl Fn(u16) -> Vec<String>) -> Vec<String> {
    if units.len() == usize::from(S::UNITS) { Vec::new() } else { units.iter().flat_map(|unit| tail(*unit)).collect() }
}

/// Returns the partition that a subject's first token names; none where it names no partition.
pub fn subject_partition(message: &Message) -> Option<u16> {
    message.subject_tail().split('.').next()?.parse().ok().filter(|partition| *partition < PARTITIONS)
}
