//! The state of all rules on one entity. Decides which readings are late, and ends the alarms of rules that no longer
//! watch the entity.

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
    /// The device that measured it. Lateness is judged per source: an asset may have several devices, and one whose
    /// clock lags must not be treated as late forever.
    pub source: Uuid,
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
    newest: Vec<(Uuid, i64)>,
    watches: Vec<(RuleId, RuleWatch)>,
    /// Whether the passage of time alone can cause a change.
    #[serde(default)]
    timed: bool,
}

impl EntityWatch {
    /// Processes a reading. `rules` are the rules that watch the entity, `value` returns the reading's values by
    /// metric, and `suppression` returns why notifications are suppressed. Adds the changes with effects to `changes`.
    /// A reading that is older than the newest of its source never raises an alarm, and one that was seen before
    /// changes nothing.
    pub fn observe<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r RuleEntry>,
        sample: Sample,
        value: impl Fn(&str) -> Option<f64>,
        suppression: SuppressionLookup<'_>,
        changes: &mut Vec<(RuleId, Change)>,
    ) {
        // Before the rules are looked at: a reading without a watched metric still advances the source.
        let is_history = self.is_history(sample);
        let mut seen = Vec::new();
        self.timed = false;
        for rule in rules {
            seen.push(rule.rule);
            self.timed |= rule.definition.condition.is_timed();
            let has_needed_metric = || has_needed_metric(rule, &value);
            if let Some(watch) = self.watch(rule, has_needed_metric) {
                let ended = watch.restart_if_changed(rule, sample.measured_at);
                let suppressed = watch.update_suppression(rule, suppression, sample.measured_at);
                let changed = watch.observe(rule, sample, is_history, &value, suppression);
                changes.extend([ended, suppressed, changed].into_iter().flatten().map(|change| (rule.rule, change)));
            }
        }
        self.end_unwatched(&seen, sample.measured_at, changes);
    }

    /// Processes a tick: silences begin and end, and the alarms of rules that no longer watch the entity end.
    pub fn tick<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r RuleEntry>,
        clock: Clock,
        suppression: SuppressionLookup<'_>,
        changes: &mut Vec<(RuleId, Change)>,
    ) {
        let (mut seen, now) = (Vec::new(), clock.now);
        self.timed = false;
        for rule in rules {
            seen.push(rule.rule);
            self.timed |= rule.definition.condition.is_timed();
            // A tick alone never starts a watch: without a reading there is nothing to evaluate.
            if let Some(watch) = self.watch(rule, || false) {
                let ended = watch.restart_if_changed(rule, now);
                let suppressed = watch.update_suppression(rule, suppression, now);
                let changed = watch.tick(rule, clock, suppression);
                changes.extend([ended, suppressed, changed].into_iter().flatten().map(|change| (rule.rule, change)));
            }
        }
        self.end_unwatched(&seen, now, changes);
    }

    /// Returns whether there is no state to keep.
    pub fn is_idle(&self) -> bool {
        self.watches.is_empty()
    }

    /// Returns whether a change can occur without a reading: a silence, or the end of an alarm whose rule no longer
    /// watches the entity.
    pub fn awaits_time(&self) -> bool {
        self.timed || self.watches.iter().any(|(_, watch)| watch.is_raised())
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
        // Keep the episode numbers of rules that no longer apply: a rule may be activated again, and alarm ids must not
        // repeat.
        self.watches.retain(|(rule, watch)| seen.contains(rule) || watch.has_history());
    }
}

/// Returns whether a reading contains a metric that a rule uses.
fn has_needed_metric(rule: &RuleEntry, value: impl Fn(&str) -> Option<f64>) -> bool {
    rule.definition.condition.metrics(&rule.definition.metric_key).into_iter().any(|metric| value(metric).is_some())
}
