//! The state machine of one rule on one entity: how a breach begins, lasts and ends. All times are times of
//! measurement, except for silences, which use the platform's clock.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::criterion::Moment;
use super::newest_values::Arrival;
use super::{Change, Clock, NewestValues, Sample, Severity, Suppression};
use crate::directory::RuleEntry;

pub(super) type Time = DateTime<Utc>;

/// The state of one rule on one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleWatch {
    /// The rule's `decides_since` under which the rest of the state was computed.
    decides_since: u64,
    /// Number of the last episode, 0 before the first. Never reset, because alarm ids derive from it.
    episode: u64,
    /// Time of the newest value seen.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    newest: Option<Time>,
    /// Late values show no breach that began at or before this time: either the condition is known not to have held
    /// then, or the readings up to then were skipped. This also makes repeated readings harmless.
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
    /// The newest values of the metrics that the condition uses; empty in older snapshots if it is a single comparison.
    #[serde(default, rename = "memory")]
    values: NewestValues,
    /// The severity with which the last alarm was raised; an edit of the rule does not change it.
    #[serde(default)]
    severity: Option<Severity>,
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

/// What one reading or tick causes, in this order.
pub(super) type Changes = [Option<Change>; 3];

/// An edit of the rule under which its alarm may go on.
#[derive(Clone, Copy)]
struct Edit {
    /// Whether the criterion of a breach is another one. If so, the former criterion's clearing is of no account.
    has_new_criterion: bool,
}

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

    /// Ends the active alarm because the rule was edited or no longer applies. Keeps only the episode number and the
    /// newest values.
    pub(super) fn end_and_reset(&mut self, now: Time) -> Option<Change> {
        let at = self.newest.map_or(now, |newest| newest.max(now));
        let ended = self.is_raised().then(|| self.end(None, at));
        self.reset();
        ended
    }

    fn reset(&mut self) {
        let values = std::mem::take(&mut self.values);
        let Self { decides_since, episode, newest, .. } = *self;
        // Readings seen under the former condition must not count towards the start of a new breach: skip them.
        *self = Self { decides_since, episode, newest, clear_until: newest, values, ..Self::default() };
    }

    /// Ends the alarm if the rule now watches another metric, even while it is paused.
    fn end_if_metric_changed(&mut self, rule: &RuleEntry, now: Time) -> Option<Change> {
        if rule.metric_since <= self.decides_since {
            return None;
        }
        let ended = self.end_and_reset(now);
        self.follow(rule);
        ended
    }

    /// Adopts the present definition and the time of the newest value that it uses: the former one may have followed
    /// other metrics, or the platform's clock.
    fn follow(&mut self, rule: &RuleEntry) {
        let definition = &rule.definition;
        self.decides_since = rule.decides_since;
        if !self.values.is_empty() {
            let metrics = definition.condition.metrics(&definition.metric_key).into_iter();
            let newest = metrics.filter_map(|metric| self.values.measured_at(metric)).max();
            self.newest = newest.and_then(DateTime::from_timestamp_micros);
        }
    }

    /// Adopts the condition of a rule that was edited or resumed. A pending breach starts again; a raised alarm stays,
    /// and the returned edit says how to judge it.
    fn adopt_edit(&mut self, rule: &RuleEntry) -> Option<Edit> {
        if self.decides_since == rule.decides_since {
            return None;
        }
        let edit = Edit { has_new_criterion: rule.criterion_since > self.decides_since };
        self.follow(rule);
        if !self.is_raised() {
            self.reset();
            return None;
        }
        Some(edit)
    }

    /// Ends a raised alarm whose breach does not hold under the edited condition. An older snapshot lacks the newest
    /// value of a single comparison; then the next value decides.
    fn rejudge(&mut self, rule: &RuleEntry, edit: Edit, at: Time, clock: Clock) -> Option<Change> {
        if self.values.is_empty() || self.still_holds(rule, clock, edit.has_new_criterion) {
            return None;
        }
        self.end_and_reset(at)
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
        let Self { episode, severity, .. } = *self;
        Some(Change::SuppressionChanged { episode, suppression, announce, at, severity })
    }

    /// Processes a reading. While the rule is paused it is not judged, but its values are known when the rule resumes.
    pub(super) fn observe(
        &mut self,
        rule: &RuleEntry,
        sample: Sample,
        value: impl Fn(&str) -> Option<f64>,
        suppression: SuppressionLookup<'_>,
    ) -> Changes {
        let Sample { measured_at: at, clock, .. } = sample;
        let ended = self.end_if_metric_changed(rule, at);
        let edit = if rule.is_active() { self.adopt_edit(rule) } else { None };
        let seen = self.record(rule, sample, value);
        let suppressed = self.update_suppression(rule, suppression, at);
        if edit.is_some() || !rule.is_active() {
            let is_news = matches!(seen, Some((Arrival::News, _)));
            self.newest = self.newest.max(is_news.then_some(at));
        }
        let changed = match (edit, seen) {
            _ if !rule.is_active() => None,
            (Some(edit), _) => self.rejudge(rule, edit, at, clock),
            (None, Some((Arrival::News, _))) => self.evaluate(rule, at, clock, suppression),
            (None, Some((Arrival::Late, value))) => self.observe_late(rule, at, value),
            (None, Some((Arrival::Repetition, _)) | None) => None,
        };
        [ended, suppressed, changed]
    }

    /// Processes a tick, which can begin or end a silence, and ends the alarm of an edited rule.
    pub(super) fn tick(&mut self, rule: &RuleEntry, clock: Clock, suppression: SuppressionLookup<'_>) -> Changes {
        let ended = self.end_if_metric_changed(rule, clock.now);
        let suppressed = self.update_suppression(rule, suppression, clock.now);
        let edit = if rule.is_active() { self.adopt_edit(rule) } else { None };
        let changed = match edit {
            _ if !rule.is_active() => None,
            Some(edit) => self.rejudge(rule, edit, clock.now, clock),
            None if rule.definition.condition.is_timed() => self.evaluate(rule, clock.now, clock, suppression),
            None => None,
        };
        [ended, suppressed, changed]
    }

    /// Records the values that the condition uses. Returns what the reading is to it: news if any of the values is. Only
    /// a single comparison makes use of a late value.
    fn record(
        &mut self,
        rule: &RuleEntry,
        sample: Sample,
        value: impl Fn(&str) -> Option<f64>,
    ) -> Option<(Arrival, f64)> {
        let definition = &rule.definition;
        let [measured_at, received_at] = [sample.measured_at, sample.received_at].map(|time| time.timestamp_micros());
        let own = definition.metric_key.as_str();
        if let Some(comparison) = definition.condition.single() {
            let metric = comparison.metric_key.as_deref().unwrap_or(own);
            let value = value(metric)?;
            // An older snapshot has only the time of the newest value.
            if self.values.is_empty() && self.newest > Some(sample.measured_at) {
                return Some((Arrival::Late, value));
            }
            return Some((self.values.record(metric, value, measured_at, received_at), value));
        }
        let mut news = None;
        for metric in definition.condition.metrics(own) {
            let Some(value) = value(metric) else { continue };
            if self.values.record(metric, value, measured_at, received_at) == Arrival::News {
                news = Some((Arrival::News, value));
            }
        }
        news
    }

    fn evaluate(
        &mut self,
        rule: &RuleEntry,
        at: Time,
        clock: Clock,
        suppression: SuppressionLookup<'_>,
    ) -> Option<Change> {
        let condition = &rule.definition.condition;
        let holds = if self.is_raised() {
            self.still_holds(rule, clock, false)
        } else {
            condition.criterion.holds(self.moment(rule, clock), false) && condition.is_scheduled(at)
        };
        // Devices have different clocks; never let the time of the combined state go backwards.
        let at = self.newest.map_or(at, |newest| newest.max(at));
        self.step(rule, Step { at, value: self.value(rule), holds, suppression })
    }

    /// Returns whether the breach of a raised alarm still holds, with the dead band and the clearing criterion.
    fn still_holds(&self, rule: &RuleEntry, clock: Clock, has_new_criterion: bool) -> bool {
        let (condition, moment) = (&rule.definition.condition, self.moment(rule, clock));
        match &condition.clear {
            Some(clear) if !has_new_criterion => !clear.holds(moment, false),
            _ => condition.criterion.holds(moment, true),
        }
    }

    fn moment<'m>(&'m self, rule: &'m RuleEntry, clock: Clock) -> Moment<'m> {
        Moment { metric_key: &rule.definition.metric_key, values: &self.values, clock }
    }

    /// Returns the value that is reported with a change. A condition can hold only if at least one of its metrics has a
    /// value, so the default is never reported with a breach.
    fn value(&self, rule: &RuleEntry) -> f64 {
        let (condition, own) = (&rule.definition.condition, rule.definition.metric_key.as_str());
        let value = match condition.single() {
            Some(comparison) => self.values.value(comparison.metric_key.as_deref().unwrap_or(own)),
            None => condition.metrics(own).into_iter().find_map(|metric| self.values.value(metric)),
        };
        value.unwrap_or_default()
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
            let Self { episode, repeats, suppression, severity, .. } = *self;
            return Some(Change::Repeated { episode, repeats, value, at, suppression, announce, severity });
        }
        (self.episode, self.repeats, self.raised_at) = (self.episode + 1, 0, Some(at));
        self.suppression = suppression(rule);
        (self.announced, self.end_announced) = (self.suppression.is_none(), false);
        self.severity = Some(rule.definition.severity);
        let (episode, suppression) = (self.episode, self.suppression);
        Some(Change::Raised { episode, started_at, raised_at: at, value, suppression })
    }

    fn end(&mut self, value: Option<f64>, at: Time) -> Change {
        let announce = self.announced && !self.end_announced;
        self.end_announced |= announce;
        let Self { episode, repeats, severity, .. } = *self;
        Change::Ended { episode, repeats, value, at, announce, severity }
    }

    /// Processes a late value of a single comparison: it may move the start of a breach, but never begins or ends an
    /// active one. It gets no dead band, for it can only show that the breach began earlier. A schedule limits when a
    /// breach begins, not how long it lasts.
    fn observe_late(&mut self, rule: &RuleEntry, at: Time, value: f64) -> Option<Change> {
        let condition = &rule.definition.condition;
        let holds = condition.single()?.holds(value, false) && condition.is_scheduled(at);
        match self.phase {
            Phase::Normal => self.clear_up_to(at),
            Phase::Pending(since) | Phase::Raised(since) if holds => return self.amend_start(rule, at, since),
            Phase::Pending(since) | Phase::Raised(since) if at < since => self.clear_up_to(at),
            Phase::Pending(_) => self.interrupt(),
            Phase::Raised(_) => {}
        }
        None
    }

    /// A late value shows that the condition did not hold throughout: the duration restarts at the newest value.
    fn interrupt(&mut self) {
        if let Some(newest) = self.newest {
            self.clear_up_to(newest - TimeDelta::microseconds(1));
            self.phase = Phase::Pending(newest);
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
