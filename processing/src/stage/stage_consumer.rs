//! The consumer that runs a stage's owned units in the log's consume loop: decode, wait for the directory, compute,
//! deliver, and periodically write snapshots.

use eventlog::error_chain;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use domain::directory::Directory;
use domain::telemetry::newer_version;
use eventlog::{
    Batch, Cause, Consumer, Message, Outcome, Position, Positions, Rejection, Source, retry_until_upgraded,
};
use futures_util::future::join_all;
use tracing::{debug, warn};

use super::deliver::Delivery;
use super::effects::Effects;
use super::snapshots::{Error as SnapshotError, Revision, Snapshots};
use super::stage_trait::{Stage, StepContext};
use super::unit_state::UnitState;
use crate::metric_names;
use crate::shared_directory::SharedDirectory;

/// An unchanged unit is written this many times less often than a changed one.
const IDLE_FACTOR: u32 = 6;

/// The consumer of a stage for the units that this process owns.
pub struct StageConsumer<S: Stage> {
    stage: S,
    unit_states: BTreeMap<u16, UnitState<S::State>>,
    snapshot_records: BTreeMap<u16, SnapshotRecord>,
    directory: SharedDirectory,
    delivery: Delivery,
    snapshots: Snapshots,
    snapshot_every: Duration,
    last_snapshot: Instant,
    /// Whether a computed batch is not delivered; while set, the states must not be written.
    has_undelivered_effects: bool,
}

/// New messages with their units, decoded.
type Inputs<'b, I> = Vec<(u16, &'b Message, I)>;

/// The bookkeeping of a unit's snapshot.
#[derive(Clone, Copy)]
struct SnapshotRecord {
    revision: Revision,
    is_changed: bool,
    written_at: Instant,
}

/// Applies input messages to the states of their units and returns the effects.
pub fn compute<'m, S: Stage>(
    stage: &S,
    directory: &Directory,
    unit_states: &mut BTreeMap<u16, UnitState<S::State>>,
    inputs: impl IntoIterator<Item = (u16, &'m Message, S::Input)>,
) -> Effects {
    let mut output = S::Output::default();
    for (unit, message, input) in inputs {
        if let Some(unit_state) = unit_states.get_mut(&unit) {
            stage.step(StepContext { directory, message, unit: unit_state }, input, &mut output);
        }
    }
    stage.effects(output)
}

impl<S: Stage> StageConsumer<S> {
    /// Creates a consumer of these units. Their states are read when the consume loop starts.
    pub fn new(
        stage: S,
        units: &BTreeSet<u16>,
        directory: SharedDirectory,
        delivery: Delivery,
        snapshots: Snapshots,
        snapshot_every: Duration,
    ) -> Self {
        let now = Instant::now();
        let record = SnapshotRecord { revision: Revision::default(), is_changed: false, written_at: now };
        let unit_states = units.iter().map(|unit| (*unit, UnitState::default())).collect();
        let snapshot_records = units.iter().map(|unit| (*unit, record)).collect();
        Self {
            stage,
            unit_states,
            snapshot_records,
            directory,
            delivery,
            snapshots,
            snapshot_every,
            last_snapshot: now,
            has_undelivered_effects: false,
        }
    }

    /// Writes the states of all units, unless a computed batch is not delivered.
    pub async fn write_all(&mut self) -> Result<(), SnapshotError> {
        if self.has_undelivered_effects { Ok(()) } else { self.write(|_| true).await }
    }

    async fn write(&mut self, is_due: impl Fn(&SnapshotRecord) -> bool) -> Result<(), SnapshotError> {
        let (snapshots, unit_states) = (&self.snapshots, &self.unit_states);
        let due = self.snapshot_records.iter_mut().filter(|(_, record)| is_due(record));
        let writes = due.filter_map(|(unit, record)| Some((*unit, unit_states.get(unit)?, record)));
        let writes = writes.map(|(unit, unit_state, record)| async move {
            let revision = snapshots.write(unit, unit_state, record.revision).await?;
            *record = SnapshotRecord { revision, is_changed: false, written_at: Instant::now() };
            Ok(())
        });
        join_all(writes).await.into_iter().collect()
    }

    async fn write_if_due(&mut self) -> Result<(), String> {
        let every = self.snapshot_every;
        if self.last_snapshot.elapsed() < every {
            return Ok(());
        }
        self.last_snapshot = Instant::now();
        match self.write(|record| record.is_changed || record.written_at.elapsed() > every * IDLE_FACTOR).await {
            Err(failure @ SnapshotError::Fenced(_)) => Err(failure.to_string()),
            Err(failure) => {
                // The next snapshot contains everything that this one would have.
                warn!(stage = S::NAME, error = error_chain(&failure), "cannot write a snapshot");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn decode<'b>(&self, batch: &'b Batch) -> Result<Inputs<'b, S::Input>, Vec<Rejection>> {
        let (mut inputs, mut rejections) = (Vec::with_capacity(batch.messages.len()), Vec::new());
        for message in &batch.messages {
            let Some(number) = S::unit(message) else { continue };
            if !self.unit_states.get(&number).is_some_and(|unit_state| unit_state.is_new(message)) {
                continue;
            }
            match S::decode(message) {
                Ok(input) => inputs.push((number, message, input)),
                Err(reason) => {
                    rejections.push(Rejection { stream: message.stream, sequence: message.sequence, reason })
                }
            }
        }
        if rejections.is_empty() { Ok(inputs) } else { Err(rejections) }
    }

    async fn prepare(&self, inputs: &Inputs<'_, S::Input>) -> Result<(), Cause> {
        let named = inputs.iter().map(|(_, _, input)| S::es_position(input)).max().unwrap_or(0);
        self.directory.reached(named).await?;
        // The domain event may be stored but not folded yet, as for a device registered just before its first reading.
        if self.needs_newer_directory(inputs) {
            self.directory.caught_up().await?;
        }
        Ok(())
    }

    fn needs_newer_directory(&self, inputs: &Inputs<'_, S::Input>) -> bool {
        let directory = self.directory.read();
        inputs.iter().any(|(_, _, input)| S::needs_newer_directory(&directory, input))
    }

    fn compute(&mut self, inputs: Inputs<'_, S::Input>) -> Effects {
        let started = Instant::now();
        for (unit, ..) in &inputs {
            self.snapshot_records.entry(*unit).and_modify(|record| record.is_changed = true);
        }
        let effects = compute(&self.stage, &self.directory.read(), &mut self.unit_states, inputs);
        metrics::histogram!(metric_names::COMPUTE_SECONDS, "stage" => S::NAME).record(started.elapsed().as_secs_f64());
        effects
    }
}

impl<S: Stage> Consumer for &mut StageConsumer<S> {
    fn name(&self) -> &str {
        S::NAME
    }

    fn sources(&self) -> Vec<Source> {
        S::sources(&self.unit_states.keys().copied().collect())
    }

    async fn resume(&mut self) -> Result<Positions, Cause> {
        for (unit, record) in &mut self.snapshot_records {
            let (unit_state, revision) = self.snapshots.read(*unit).await?;
            record.revision = revision;
            self.unit_states.insert(*unit, unit_state);
        }
        let positions = earliest(self.unit_states.values().map(|unit_state| &unit_state.positions));
        debug!(stage = S::NAME, units = self.unit_states.len(), ?positions, "resuming");
        Ok(positions)
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        if let Some(retry) = retry_until_upgraded(batch, newer_version) {
            return retry;
        }
        let inputs = match self.decode(batch) {
            Ok(inputs) => inputs,
            Err(rejections) => return Outcome::Reject(rejections),
        };
        if let Err(cause) = self.prepare(&inputs).await {
            return Outcome::Retry(cause);
        }
        let effects = self.compute(inputs);
        // From here on the states include effects that are not delivered yet.
        self.has_undelivered_effects = true;
        if self.delivery.deliver(effects).await.is_err() {
            return Outcome::Stop("shutdown came before the outputs were stored".to_owned());
        }
        self.has_undelivered_effects = false;
        self.unit_states.values_mut().for_each(|unit_state| advance(&mut unit_state.positions, &batch.positions));
        match self.write_if_due().await {
            Ok(()) => Outcome::Done,
            Err(fenced) => Outcome::Stop(fenced),
        }
    }
}

/// Advances positions to those of a batch; a position that is already further stays.
fn advance(positions: &mut Positions, to: &Positions) {
    for (stream, position) in to.iter() {
        if position.sequence >= positions.sequence(stream) {
            positions.set(stream, position.clone());
        }
    }
}

/// Returns the earliest position of each stream. A stream that one unit has not started is read from its beginning.
fn earliest<'p>(all: impl Iterator<Item = &'p Positions> + Clone) -> Positions {
    let mut earliest = all.clone().next().cloned().unwrap_or_default();
    for positions in all {
        earliest.0.retain(|stream, held| match positions.get(*stream) {
            Some(position) => {
                if position.sequence < held.sequence {
                    *held = Position::clone(position);
                }
                true
            }
            None => false,
        });
    }
    earliest
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::DateTime;
    use domain::telemetry::encode_pack;
    use eventlog::{Headers, Stream};

    use super::*;

    #[test]
    fn packs_of_a_newer_format_version_are_retried_and_never_discarded() {
        let batch = |stream, payload: &'static [u8]| Batch {
            messages: vec![Message {
                stream,
                subject: "telemetry.raw.v1.0".into(),
                sequence: 1,
                published_at: DateTime::UNIX_EPOCH,
                headers: Headers::new(),
                payload: Bytes::from_static(payload),
            }],
            positions: Positions::new(),
        };
        let next = encode_pack(&()).unwrap()[0] + 1;
        let of_next: &'static [u8] = Vec::leak(vec![next, 0x90]);
        let retry = |batch: &Batch| retry_until_upgraded(batch, newer_version);
        let outcome = retry(&batch(Stream::TelemetryRaw, of_next));
        let Some(Outcome::Retry(cause)) = outcome else { panic!("no retry: {outcome:?}") };
        let cause = cause.to_string();
        assert!(cause.contains(&format!("version {next}")) && cause.contains("upgrade"), "{cause}");
        assert!(retry(&batch(Stream::TelemetryRaw, &[1, 0x90])).is_none());
        assert!(retry(&batch(Stream::TelemetryRaw, &[2])).is_none());
        assert!(retry(&batch(Stream::TelemetryRaw, b"no pack at all")).is_none());
        assert!(retry(&batch(Stream::Presence, of_next)).is_none());
    }

    #[test]
    fn reading_resumes_at_the_earliest_position_and_from_the_start_of_an_unread_stream() {
        let a = Positions::at([(Stream::EventsThreshold, 5), (Stream::Presence, 9)]);
        let b = Positions::at([(Stream::EventsThreshold, 3)]);
        assert_eq!(earliest([&a, &b].into_iter()), Positions::at([(Stream::EventsThreshold, 3)]));
        assert_eq!(earliest([&b, &a].into_iter()), Positions::at([(Stream::EventsThreshold, 3)]));
        assert_eq!(earliest([&a].into_iter()), a);
        assert_eq!(earliest([].into_iter()), Positions::new());
    }

    #[test]
    fn positions_never_decrease() {
        let mut positions = Positions::at([(Stream::EventsThreshold, 5)]);
        advance(&mut positions, &Positions::at([(Stream::EventsThreshold, 4), (Stream::Presence, 1)]));
        assert_eq!(positions, Positions::at([(Stream::EventsThreshold, 5), (Stream::Presence, 1)]));
    }
}
