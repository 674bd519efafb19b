//! What is remembered of a partition: the entities that some rule watches, and which devices are there.

use std::collections::HashMap;

use domain::alarming::{EntityWatch, Sample};
use domain::directory::Directory;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changes::Lane;
use super::input::Seen;
use super::presence::Presence;

/// The entities and devices of one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    entities: HashMap<Uuid, EntityWatch>,
    pub(super) presence: Presence,
}

impl State {
    /// Evaluates the rules of a reading's entity; nothing is done, and nothing remembered, where there are none.
    pub fn evaluate(
        &mut self,
        directory: &Directory,
        es_position: u64,
        seen: Seen,
        value: impl Fn(&str) -> Option<f64>,
        lane: &mut Lane<'_>,
    ) {
        let id = seen.entity.id();
        let kind = seen.entity.kind(directory, es_position);
        let mut rules =
            kind.into_iter().flat_map(|kind| directory.rules_for(seen.organization, kind, id, es_position)).peekable();
        let is_watched = rules.peek().is_some();
        if !is_watched && !self.entities.contains_key(&id) {
            return;
        }
        let sample = Sample { source: seen.source, measured_at: seen.measured_at };
        let watch = self.entities.entry(id).or_default();
        let mut changes = Vec::new();
        watch.observe(rules, sample, value, &mut changes);
        if watch.is_idle() && !is_watched {
            self.entities.remove(&id);
        }
        for (rule, change) in changes {
            if let Some(rule) = directory.rule(rule, es_position) {
                lane.changed(rule, &seen, change);
            }
        }
    }
}
