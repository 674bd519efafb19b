//! The state of all rules on one entity. Ends the alarms of rules that no longer watch the entity.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rule_watch::SuppressionLookup;
use super::{Change, Clock, RuleWatch};
use crate::directory::RuleEntry;
use crate::ids::RuleId;

/// One reading as input of the rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it was measured.
    pub measured_at: DateTime<Utc>,
    /// When it arrived, by the platform's clock.
    pub received_at: DateTime<Utc>,
    /// The clock of the stream's ticks, by which silences are measured.
    pub clock: Clock,
}

/// The state of the rules on one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EntityWatch {
    /// The newest reading of each source, by which lateness was once judged. Older snapshots have it; it stays empty.
    former: Vec<(Uuid, i64)>,
    watches: Vec<(RuleId, RuleWatch)>,
    /// Whether the passage of time alone can cause a change.
    #[serde(default)]
    timed: bool,
}

impl EntityWatch {
    /// Processes a reading. `rules` are the rules that watch the entity, paused ones too, `value` returns the reading's
    /// values by metric, and `suppression` returns why notifications are suppressed. Adds the changes with effects to
    /// `changes`. A value that was measured before the newest one of its metric never raises an alarm, and one that was
    /// seen before changes nothing.
    pub fn observe<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r RuleEntry>,
        sample: Sample,
        value: impl Fn(&str) -> Option<f64>,
        suppression: SuppressionLookup<'_>,
        changes: &mut Vec<(RuleId, Change)>,
    ) {
        let mut seen = Vec::new();
        self.former.clear();
        self.timed = false;
        for rule in rules {
            seen.push(rule.rule);
            self.timed |= rule.definition.condition.is_timed();
            let begins = || rule.is_active() && has_needed_metric(rule, &value);
            if let Some(watch) = self.watch(rule, begins) {
                let caused = watch.observe(rule, sample, &value, suppression);
                changes.extend(caused.into_iter().flatten().map(|change| (rule.rule, change)));
            }
        }
        self.end_unwatched(&seen, sample.measured_at, changes);
    }

    /// Processes a tick: silences begin and end, alarms that an edit of their rule ends, end, and so do those of rules
    /// that no longer watch the entity.
    pub fn tick<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r RuleEntry>,
        clock: Clock,
        suppression: SuppressionLookup<'_>,
        changes: &mut Vec<(RuleId, Change)>,
    ) {
        let mut seen = Vec::new();
        self.timed = false;
        for rule in rules {
            seen.push(rule.rule);
            self.timed |= rule.definition.condition.is_timed();
            // A tick alone never starts a watch: without a reading there is nothing to evaluate.
            if let Some(watch) = self.watch(rule, || false) {
                let caused = watch.tick(rule, clock, suppression);
                changes.extend(caused.into_iter().flatten().map(|change| (rule.rule, change)));
            }
        }
        self.end_unwatched(&seen, clock.now, changes);
    }

    /// Returns whether there is no state to keep.
    pub fn is_idle(&self) -> bool {
        self.watches.is_empty()
    }

    /// Returns whether a change can occur without a reading: a silence, or the end of an alarm whose rule was edited or
    /// no longer watches the entity.
    pub fn awaits_time(&self) -> bool {
        self.timed || self.watches.iter().any(|(_, watch)| watch.is_raised())
    }

    fn watch(&mut self, rule: &RuleEntry, or_begin: impl Fn() -> bool) -> Option<&mut RuleWatch> {
        let known = self.watches.iter().position(|(id, _)| *id == rule.rule);
        if known.is_none() {
            if !or_begin() {
                return None;
            }
            self.watches.push((rule.rule, RuleWatch::new(rule)));
        }
        let at = known.unwrap_or(self.watches.len() - 1);
        Some(&mut self.watches[at].1)
    }

    fn end_unwatched(&mut self, seen: &[RuleId], now: DateTime<Utc>, changes: &mut Vec<(RuleId, Change)>) {
        // Fast path: the set of rules rarely changes.
        if self.watches.iter().all(|(rule, _)| seen.contains(rule)) {
            return;
        }
        for (rule, watch) in self.watches.iter_mut().filter(|(rule, _)| !seen.contains(rule)) {
            changes.extend(watch.end_and_reset(now).map(|change| (*rule, change)));
        }
        // Keep the episode numbers of rules that no longer apply: the entity may come back, and alarm ids must not
        // repeat.
        self.watches.retain(|(rule, watch)| seen.contains(rule) || watch.has_history());
    }
}

/// Returns whether a reading contains a metric that a rule uses.
fn has_needed_metric(rule: &RuleEntry, value: impl Fn(&str) -> Option<f64>) -> bool {
    rule.definition.condition.metrics(&rule.definition.metric_key).into_iter().any(|metric| value(metric).is_some())
}
