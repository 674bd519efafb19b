//! The state of a partition: the entities that some rule watches, and which devices are online.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::alarming::{Clock, EntityWatch, Sample};
use domain::directory::{DirectoryView, RuleEntry};
use domain::ids::{AssetId, DeviceId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::{ClockedStream, Entity, Observation};
use super::output::ChangeWriter;
use super::presence::Presence;

/// The entities and devices of one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    entities: HashMap<Uuid, EntityWatch>,
    pub(super) presence: Presence,
    /// The clocks of the two telemetry streams.
    #[serde(default)]
    clocks: Clocks,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Clocks {
    devices: Clock,
    assets: Clock,
}

impl Clocks {
    fn of(&mut self, clocked_stream: ClockedStream) -> &mut Clock {
        match clocked_stream {
            ClockedStream::Devices => &mut self.devices,
            ClockedStream::Assets => &mut self.assets,
        }
    }
}

impl State {
    /// Evaluates the rules of a reading's entity. An entity without rules that use its values leaves no state.
    pub fn evaluate(
        &mut self,
        directory: DirectoryView<'_>,
        observation: Observation,
        value: impl Fn(&str) -> Option<f64>,
        writer: &mut ChangeWriter<'_>,
    ) {
        let id = observation.entity.id();
        let Observation { measured_at, received_at, .. } = observation;
        let sample = Sample { measured_at, received_at, clock: *self.clocks.of(observation.entity.clocked_stream()) };
        let suppression = |rule: &RuleEntry| observation.entity.suppression(directory, rule.rule, measured_at);
        let (mut begun, mut changes) = (EntityWatch::default(), Vec::new());
        let watch = self.entities.get_mut(&id).unwrap_or(&mut begun);
        watch.observe(rules(directory, observation.entity), sample, value, &suppression, &mut changes);
        let is_over = watch.is_idle();
        if !begun.is_idle() {
            self.entities.insert(id, begun);
        } else if is_over {
            self.entities.remove(&id);
        }
        writer.write_changes(directory, &observation, changes);
    }

    /// Advances the clock of a stream for its entities: silences start, shelving ends, and alarms whose rule or entity
    /// is gone, or whose breach an edit of the rule ended, return to normal.
    pub fn tick(
        &mut self,
        directory: DirectoryView<'_>,
        (clocked_stream, at): (ClockedStream, DateTime<Utc>),
        writer: &mut ChangeWriter<'_>,
    ) {
        let clock = self.clocks.of(clocked_stream);
        clock.tick(at);
        let clock = *clock;
        let mut waiting: Vec<_> =
            self.entities.iter().filter(|(_, watch)| watch.awaits_time()).map(|(id, _)| *id).collect();
        // Iteration order of a hash map varies between runs; the order of the effects must not.
        waiting.sort_unstable();
        for id in waiting {
            // The map has device and asset ids. Only the entities of this stream are found, because the clock is
            // theirs.
            let known = match clocked_stream {
                ClockedStream::Devices => {
                    directory.device(DeviceId(id)).map(|device| (device.organization, Entity::Device(DeviceId(id))))
                }
                ClockedStream::Assets => {
                    directory.asset(AssetId(id)).map(|asset| (asset.organization, Entity::Asset(AssetId(id))))
                }
            };
            let (Some((organization, entity)), Some(watch)) = (known, self.entities.get_mut(&id)) else { continue };
            let suppression = |rule: &RuleEntry| entity.suppression(directory, rule.rule, clock.now);
            let mut changes = Vec::new();
            watch.tick(rules(directory, entity), clock, &suppression, &mut changes);
            if watch.is_idle() {
                self.entities.remove(&id);
            }
            let observation = Observation { organization, entity, measured_at: clock.now, received_at: clock.now };
            writer.write_changes(directory, &observation, changes);
        }
    }
}

/// Lists the rules that watch an entity, paused ones too; none where it is unknown, decommissioned or retired.
fn rules(directory: DirectoryView<'_>, entity: Entity) -> impl Iterator<Item = &RuleEntry> {
    let known = entity.scope(directory).into_iter();
    known.flat_map(move |(organization, kind, of_type)| directory.rules_for(organization, kind, of_type, entity.id()))
}
