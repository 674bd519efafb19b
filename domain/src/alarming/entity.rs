//! All rules on one entity: which of its readings are on time, and which rules still watch it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Change, Watch};
use crate::directory::RuleEntry;
use crate::ids::RuleId;

/// One reading as rules see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The device that measured it. An asset may have several with clocks of their own, and a device that is a second
    /// behind is not history for ever: what is late is judged by source.
    pub source: Uuid,
    /// When it was measured.
    pub measured_at: DateTime<Utc>,
}

/// What is known of an entity that some rule watches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EntityWatch {
    newest: Vec<(Uuid, i64)>,
    watches: Vec<(RuleId, Watch)>,
}

impl EntityWatch {
    /// Takes a reading: the rules that watch the entity, and the reading's value by metric. Steps that have effects are
    /// added to `changes`. A reading older than the newest of its source never raises; one seen before changes nothing.
    pub fn observe<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r RuleEntry>,
        sample: Sample,
        value: impl Fn(&str) -> Option<f64>,
        changes: &mut Vec<(RuleId, Change)>,
    ) {
        let is_history = self.is_history(sample);
        let mut seen = Vec::new();
        for rule in rules {
            seen.push(rule.rule);
            let value = value(&rule.definition.metric_key);
            if let Some(watch) = self.watch(rule, value.is_some()) {
                let ended = watch.follow(rule, sample.measured_at);
                let changed = value.and_then(|value| watch.observe(rule, sample.measured_at, value, is_history));
                changes.extend(ended.into_iter().chain(changed).map(|change| (rule.rule, change)));
            }
        }
        self.forget_others(&seen, sample.measured_at, changes);
    }

    /// Tells whether nothing needs to be remembered of it.
    pub fn is_idle(&self) -> bool {
        self.watches.is_empty()
    }

    fn is_history(&mut self, sample: Sample) -> bool {
        let measured_at = sample.measured_at.timestamp_micros();
        match self.newest.iter_mut().find(|(source, _)| *source == sample.source) {
            Some((_, newest)) => {
                let is_history = measured_at < *newest;
                *newest = measured_at.max(*newest);
                is_history
            }
            None => {
                self.newest.push((sample.source, measured_at));
                false
            }
        }
    }

    fn watch(&mut self, rule: &RuleEntry, or_begin: bool) -> Option<&mut Watch> {
        let known = self.watches.iter().position(|(id, _)| *id == rule.rule);
        if known.is_none() && or_begin {
            self.watches.push((rule.rule, Watch::of(rule)));
        }
        let at = known.or(self.watches.len().checked_sub(1).filter(|_| or_begin));
        at.map(|at| &mut self.watches[at].1)
    }

    fn forget_others(&mut self, seen: &[RuleId], now: DateTime<Utc>, changes: &mut Vec<(RuleId, Change)>) {
        if self.watches.iter().all(|(rule, _)| seen.contains(rule)) {
            return;
        }
        for (rule, watch) in self.watches.iter_mut().filter(|(rule, _)| !seen.contains(rule)) {
            changes.extend(watch.abandon(now).map(|change| (*rule, change)));
        }
        self.watches.retain(|(rule, watch)| seen.contains(rule) || watch.has_history());
    }
}
