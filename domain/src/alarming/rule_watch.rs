//! The state machine of one rule on one entity: how a breach begins, lasts and ends. All times are times of
//! measurement, except for silences, which use the platform's clock.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::criterion::Moment;
use super::{Change, Clock, NewestValues, Sample, Suppression};
use crate::directory::RuleEntry;

pub(super) type Time = DateTime<Utc>;

/// The state of one rule on one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleWatch {
    /// The rule's `decides_since` under which the rest of the state was computed.
    decides_since: u64,
    /// Number of the last episode, 0 before the first. Never reset, because alarm ids derive from it.
    episode: u64,
    /// Time of the newest value seen, on time or late.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    newest: Option<Time>,
    /// No breach may begin at or before this time: either the condition is known not to have held then, or the readings
    /// up to then were skipped. This also makes repeated readings harmless.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    clear_until: Option<Time>,
    /// When the last alarm was raised; the cooldown counts from here.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    raised_at: Option<Time>,
    phase: Phase,
    /// How often the last breach recurred within the cooldown.
    #[serde(default)]
    repeats: u32,
    /// Why notifications of the last alarm are suppressed, if they are.
    #[serde(default)]
    suppression: Option<Suppression>,
    /// Whether the last alarm was notified.
    #[serde(default)]
    announced: bool,
    /// Whether its end was notified.
    #[serde(default)]
    end_announced: bool,
    /// The newest values, for a condition with several parts or a silence.
    #[serde(default, rename = "memory")]
    values: NewestValues,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Phase {
    #[default]
    Normal,
    /// The condition holds since this time, but not for its full duration yet.
    Pending(#[serde(with = "chrono::serde::ts_microseconds")] Time),
    /// An alarm is active; its breach began at this time.
    Raised(#[serde(with = "chrono::serde::ts_microseconds")] Time),
}

/// Returns why notifications of a rule on the entity are suppressed. A callback, because the look-up is needed only in
/// a few cases.
pub(super) type SuppressionLookup<'s> = &'s dyn Fn(&RuleEntry) -> Option<Suppression>;

/// The outcome of evaluating a condition at one time.
struct Step<'s> {
    at: Time,
    value: f64,
    holds: bool,
    suppression: SuppressionLookup<'s>,
}

impl RuleWatch {
    /// Returns the initial state for a rule.
    pub(super) fn new(rule: &RuleEntry) -> Self {
        Self { decides_since: rule.decides_since, ..Self::default() }
    }

    /// Returns whether an alarm is active.
    pub fn is_raised(&self) -> bool {
        matches!(self.phase, Phase::Raised(_))
    }

    /// Returns whether the state must be kept without an active alarm, because later episodes continue the numbering.
    pub(super) fn has_history(&self) -> bool {
        self.episode > 0
    }

    /// Ends the alarm of the former condition if the rule has changed since.
    pub(super) fn restart_if_changed(&mut self, rule: &RuleEntry, now: Time) -> Option<Change> {
        if self.decides_since == rule.decides_since {
            return None;
        }
        let ended = self.end_and_reset(now);
        self.decides_since = rule.decides_since;
        ended
    }

    /// Ends the active alarm because the rule changed or no longer applies. Keeps only the episode number and the
    /// newest values.
    pub(super) fn end_and_reset(&mut self, now: Time) -> Option<Change> {
        let at = self.newest.map_or(now, |newest| newest.max(now));
        let ended = self.is_raised().then(|| self.end(None, at));
        let values = std::mem::take(&mut self.values);
        let Self { decides_since, episode, newest, .. } = *self;
        // Readings seen under the former condition must not count towards the start of a new breach: skip them.
        *self = Self { decides_since, episode, newest, clear_until: newest, values, ..Self::default() };
        ended
    }

    /// Updates the suppression of an active alarm.
    pub(super) fn update_suppression(
        &mut self,
        rule: &RuleEntry,
        suppression: SuppressionLookup<'_>,
        at: Time,
    ) -> Option<Change> {
        if !self.is_raised() {
            return None;
        }
        let suppression = suppression(rule);
        if suppression == self.suppression {
            return None;
        }
        self.suppression = suppression;
        let announce = suppression.is_none() && !self.announced;
        self.announced |= announce;
        let at = self.newest.map_or(at, |newest| newest.max(at));
        Some(Change::SuppressionChanged { episode: self.episode, suppression, announce, at })
    }

    /// Processes a reading; `is_history` means that its source has already sent a newer one.
    pub(super) fn observe(
        &mut self,
        rule: &RuleEntry,
        sample: Sample,
        is_history: bool,
        value: impl Fn(&str) -> Option<f64>,
        suppression: SuppressionLookup<'_>,
    ) -> Option<Change> {
        let condition = &rule.definition.condition;
        let own = rule.definition.metric_key.as_str();
        let Some(comparison) = condition.single() else {
            if !self.record_values(rule, sample, is_history, value) {
                return None;
            }
            return self.evaluate(rule, sample.measured_at, sample.clock, suppression);
        };
        let at = sample.measured_at;
        let value = value(comparison.metric_key.as_deref().unwrap_or(own))?;
        // Messages are delivered at least once: a value with the time of the newest one is a repetition.
        if self.newest == Some(at) {
            return None;
        }
        // A late value gets no dead band: it cannot end the alarm, only show that the breach began earlier. A schedule
        // limits when a breach begins, not how long it lasts.
        let is_late = is_history || self.newest > Some(at);
        let lasting = !is_late && self.is_raised();
        let holds = comparison.holds(value, lasting) && (lasting || condition.is_scheduled(at));
        if is_late {
            self.observe_late(rule, at, holds)
        } else {
            self.step(rule, Step { at, value, holds, suppression })
        }
    }

    /// Processes a tick, which can begin or end a silence.
    pub(super) fn tick(
        &mut self,
        rule: &RuleEntry,
        clock: Clock,
        suppression: SuppressionLookup<'_>,
    ) -> Option<Change> {
        if rule.definition.condition.is_timed() { self.evaluate(rule, clock.now, clock, suppression) } else { None }
    }

    /// Records the values that a condition with several parts uses; returns whether any of them is new.
    fn record_values(
        &mut self,
        rule: &RuleEntry,
        sample: Sample,
        is_history: bool,
        value: impl Fn(&str) -> Option<f64>,
    ) -> bool {
        let [measured_at, received_at] = [sample.measured_at, sample.received_at].map(|time| time.timestamp_micros());
        let mut any_newer = false;
        for metric in rule.definition.condition.metrics(&rule.definition.metric_key) {
            if let Some(value) = value(metric) {
                any_newer |= self.values.record(metric, value, measured_at, received_at, is_history);
            }
        }
        any_newer
    }

    /// Evaluates a condition with several parts at a time of measurement.
    fn evaluate(
        &mut self,
        rule: &RuleEntry,
        at: Time,
        clock: Clock,
        suppression: SuppressionLookup<'_>,
    ) -> Option<Change> {
        let condition = &rule.definition.condition;
        let own = rule.definition.metric_key.as_str();
        let moment = Moment { metric_key: own, values: &self.values, clock };
        let lasting = self.is_raised();
        let holds = match &condition.clear {
            Some(clear) if lasting => !clear.holds(moment, false),
            _ => condition.criterion.holds(moment, lasting) && (lasting || condition.is_scheduled(at)),
        };
        // A condition can hold only if at least one of its metrics has a value, so the default is never reported with a
        // breach.
        let value = condition.metrics(own).into_iter().find_map(|metric| self.values.value(metric)).unwrap_or_default();
        // Devices have different clocks; never let the time of the combined state go backwards.
        let at = self.newest.map_or(at, |newest| newest.max(at));
        self.step(rule, Step { at, value, holds, suppression })
    }

    fn step(&mut self, rule: &RuleEntry, step: Step<'_>) -> Option<Change> {
        let Step { at, value, holds, suppression } = step;
        let before = self.newest.replace(at);
        if !holds {
            let ended = self.is_raised().then(|| self.end(Some(value), at));
            self.clear_up_to(at);
            self.phase = Phase::Normal;
            return ended;
        }
        let started_at = match (self.phase, before) {
            (Phase::Raised(_), _) => return None,
            (Phase::Pending(since), Some(before)) if at - before <= gap_bound(rule) => since,
            // Whether the condition held during the gap is unknown, so the duration starts again.
            (Phase::Pending(_), before) => {
                self.clear_until = self.clear_until.max(before);
                at
            }
            (Phase::Normal, _) => at,
        };
        if at - started_at < seconds(rule.definition.condition.duration_seconds) {
            self.phase = Phase::Pending(started_at);
            return None;
        }
        self.phase = Phase::Raised(started_at);
        // The cooldown counts from when the alarm was raised; recurrences do not extend it.
        if self.raised_at.is_some_and(|raised| at - raised < seconds(rule.definition.cooldown_seconds)) {
            self.repeats += 1;
            self.suppression = suppression(rule);
            let announce = self.suppression.is_none() && !self.announced;
            self.announced |= announce;
            let (episode, repeats, suppression) = (self.episode, self.repeats, self.suppression);
            return Some(Change::Repeated { episode, repeats, value, at, suppression, announce });
        }
        (self.episode, self.repeats, self.raised_at) = (self.episode + 1, 0, Some(at));
        self.suppression = suppression(rule);
        (self.announced, self.end_announced) = (self.suppression.is_none(), false);
        let (episode, suppression) = (self.episode, self.suppression);
        Some(Change::Raised { episode, started_at, raised_at: at, value, suppression })
    }

    fn end(&mut self, value: Option<f64>, at: Time) -> Change {
        let announce = self.announced && !self.end_announced;
        self.end_announced |= announce;
        Change::Ended { episode: self.episode, repeats: self.repeats, value, at, announce }
    }

    /// Processes a late value: it may move the start of a breach, but never begins or ends an active one.
    fn observe_late(&mut self, rule: &RuleEntry, at: Time, holds: bool) -> Option<Change> {
        self.newest = self.newest.max(Some(at));
        match self.phase {
            Phase::Normal => self.clear_up_to(at),
            Phase::Pending(since) | Phase::Raised(since) if holds => return self.amend_start(rule, at, since),
            Phase::Pending(since) | Phase::Raised(since) if at < since => self.clear_up_to(at),
            Phase::Pending(_) => self.interrupt(at),
            Phase::Raised(_) => {}
        }
        None
    }

    /// A late value shows that the condition did not hold throughout: the duration restarts at the newest value, if
    /// that is later.
    fn interrupt(&mut self, at: Time) {
        match self.newest.filter(|newest| *newest > at) {
            Some(newest) => {
                self.clear_up_to(newest - TimeDelta::microseconds(1));
                self.phase = Phase::Pending(newest);
            }
            None => {
                self.clear_up_to(at);
                self.phase = Phase::Normal;
            }
        }
    }

    fn clear_up_to(&mut self, at: Time) {
        self.clear_until = self.clear_until.max(Some(at));
    }

    fn amend_start(&mut self, rule: &RuleEntry, at: Time, since: Time) -> Option<Change> {
        if at >= since || self.clear_until.is_some_and(|clear| clear >= at) {
            return None;
        }
        // Too long before the present start to be the same breach; skip it, so that it cannot serve as a bridge later.
        if since - at > gap_bound(rule) {
            self.clear_up_to(at);
            return None;
        }
        if let Phase::Pending(_) = self.phase {
            self.phase = Phase::Pending(at);
            return None;
        }
        self.phase = Phase::Raised(at);
        // A recurrence has no start of its own to amend: its alarm began with the first breach.
        (self.repeats == 0).then_some(Change::StartAmended { episode: self.episode, started_at: at })
    }
}

fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(seconds.into())
}

fn gap_bound(rule: &RuleEntry) -> TimeDelta {
    seconds(rule.definition.condition.gap_bound())
}
