//! What a stage of the telemetry path is, and the one loop that runs all of them. A stage says what it reads, how its
//! work is divided into units, and what one input message does to a unit's state and to the output. Fetching, waiting
//! for the directory, marks, snapshots, ownership, publishing, commands and stopping are written here, once.

mod deliver;
mod effects;
mod high_water_marks;
mod snapshots;
mod stage_consumer;
mod supervise;
mod unit_state;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::directory::Directory;
use eventlog::{Message, Source};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use deliver::Delivery;
pub use effects::{Command, Effects};
pub use high_water_marks::HighWaterMarks;
pub use snapshots::{Error as SnapshotError, Snapshots};
pub use stage_consumer::{StageConsumer, compute};
pub use supervise::{StageDeps, Timing, supervise};
pub use unit_state::UnitState;

/// A stage: events in, events and commands out. Given the same input it gives the same output, however the input is
/// split into batches and however often its end is computed again.
pub trait Stage: Send + Sync + 'static {
    /// Its name: consumer, kind of ownership, key of its snapshots, actor of its commands.
    const NAME: &'static str;
    /// How many units its work is divided into; each has a state of its own and one owner at a time.
    const UNITS: u16;
    /// Version of the state's meaning; a snapshot of another version stops the stage.
    const STATE_VERSION: u32;
    /// How long the first message of a batch waits for company. Every stored message is synced to disk by itself (some
    /// 0.2 ms of CPU and 1 ms of time), so a few larger ones are far cheaper than many small ones.
    const LINGER: Duration;

    /// What is remembered of a unit.
    type State: Default + Serialize + DeserializeOwned + Send + Sync;
    /// An input message as it is read.
    type Input: Send + Sync;
    /// What a batch adds up to before it becomes messages.
    type Output: Default + Send;

    /// Answers what these units read.
    fn sources(units: &BTreeSet<u16>) -> Vec<Source>;

    /// Answers the unit that an input message belongs to; none where it is not for this stage.
    fn unit(message: &Message) -> Option<u16>;

    /// Reads an input message, or says why it cannot be read; then it goes to the dead letters as it is.
    fn decode(message: &Message) -> Result<Self::Input, String>;

    /// Answers the position of the domain stream that the directory must have reached for this input.
    fn es_position(_input: &Self::Input) -> u64 {
        0
    }

    /// Tells whether the directory, as it stands, lacks something the input names; it is then brought up to the head of
    /// the domain stream before the step.
    fn needs_newer_directory(_directory: &Directory, _input: &Self::Input) -> bool {
        false
    }

    /// Does what one input message does.
    fn step(&self, context: StepContext<'_, Self::State>, input: Self::Input, output: &mut Self::Output);

    /// Turns what the batch added up to into messages and commands.
    fn effects(&self, output: Self::Output) -> Effects;
}

/// Where a step happens.
pub struct StepContext<'a, S> {
    /// The directory, at or after the positions that the input names.
    pub directory: &'a Directory,
    /// The input message.
    pub message: &'a Message,
    /// The unit's state and marks.
    pub unit: &'a mut UnitState<S>,
}

/// Answers the subject filters of some units, none where they are all: the whole stream is cheaper than a long list.
pub fn filters<S: Stage>(units: &BTreeSet<u16>, tail: impl Fn(u16) -> Vec<String>) -> Vec<String> {
    if units.len() == usize::from(S::UNITS) { Vec::new() } else { units.iter().flat_map(|unit| tail(*unit)).collect() }
}
