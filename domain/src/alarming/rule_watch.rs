//! One rule on one entity: how a breach begins, lasts, and ends. All times are measured times, but those of silences,
//! which are the platform's.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::criterion::Moment;
use super::{Change, Clock, NewestValues, Sample, Suppression};
use crate::directory::RuleEntry;

pub(super) type Time = DateTime<Utc>;

/// What is known of one rule on one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleWatch {
    /// The rule's `decides_since` that the rest was found with.
    decides_since: u64,
    /// The last breach, 0 before the first. Never reset, because alarm ids count on it.
    episode: u64,
    /// Time of the newest value seen, on time or late.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    newest: Option<Time>,
    /// No breach begins at or before this time: the condition is known not to have held then, or what is known of it was
    /// passed over. A reading that comes again finds itself at or before it, or changes nothing.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    clear_until: Option<Time>,
    /// When the last alarm was raised; the pause counts from here.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    raised_at: Option<Time>,
    phase: Phase,
    /// How often the last breach came back within the pause.
    #[serde(default)]
    repeats: u32,
    /// Why nobody is to hear of the last alarm at present.
    #[serde(default)]
    suppression: Option<Suppression>,
    /// Whether the last alarm was heard of.
    #[serde(default)]
    announced: bool,
    /// Whether its end was heard of.
    #[serde(default)]
    end_announced: bool,
    /// The values that a condition of several parts asks for.
    #[serde(default, rename = "memory")]
    values: NewestValues,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Phase {
    #[default]
    Normal,
    /// Holds, but not for long enough.
    Pending(#[serde(with = "chrono::serde::ts_microseconds")] Time),
    /// An alarm stands; the breach began then.
    Raised(#[serde(with = "chrono::serde::ts_microseconds")] Time),
}

/// Says why nobody is to hear of an entity's alarms of a rule at present; asked only where it matters.
pub(super) type Suppressed<'s> = &'s dyn Fn(&RuleEntry) -> Option<Suppression>;

/// A step of the condition: when, the value then, and whether it holds.
struct Step<'s> {
    at: Time,
    value: f64,
    holds: bool,
    suppression: Suppressed<'s>,
}

impl RuleWatch {
    /// Starts to watch by a rule.
    pub(super) fn of(rule: &RuleEntry) -> Self {
        Self { decides_since: rule.decides_since, ..Self::default() }
    }

    /// Tells whether an alarm stands.
    pub fn is_raised(&self) -> bool {
        matches!(self.phase, Phase::Raised(_))
    }

    /// Tells whether it must be kept although nothing stands: later breaches count on from here.
    pub(super) fn has_history(&self) -> bool {
        self.episode > 0
    }

    /// Ends what a former condition began, where the rule decides otherwise since.
    pub(super) fn restart_if_changed(&mut self, rule: &RuleEntry, now: Time) -> Option<Change> {
        if self.decides_since == rule.decides_since {
            return None;
        }
        let ended = self.end_and_reset(now);
        self.decides_since = rule.decides_since;
        ended
    }

    /// Ends what stands because the rule changed or went; only the count of breaches and the newest values stay.
    pub(super) fn end_and_reset(&mut self, now: Time) -> Option<Change> {
        let at = self.newest.map_or(now, |newest| newest.max(now));
        let ended = self.is_raised().then(|| self.end(None, at));
        let values = std::mem::take(&mut self.values);
        let Self { decides_since, episode, newest, .. } = *self;
        // What was seen under the former condition says nothing of another one's start.
        *self = Self { decides_since, episode, newest, clear_until: newest, values, ..Self::default() };
        ended
    }

    /// Notes whether an alarm that stands is one that nobody is to hear of at present.
    pub(super) fn update_suppression(
        &mut self,
        rule: &RuleEntry,
        suppression: Suppressed<'_>,
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

    /// Takes a reading; `is_history` says that its source has newer ones already.
    pub(super) fn observe(
        &mut self,
        rule: &RuleEntry,
        sample: Sample,
        is_history: bool,
        value: impl Fn(&str) -> Option<f64>,
        suppression: Suppressed<'_>,
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
        if self.newest == Some(at) {
            return None;
        }
        let is_late = is_history || self.newest > Some(at);
        let lasting = !is_late && self.is_raised();
        let holds = comparison.holds(value, lasting) && (lasting || condition.is_scheduled(at));
        if is_late {
            self.observe_late(rule, at, holds)
        } else {
            self.step(rule, Step { at, value, holds, suppression })
        }
    }

    /// Takes the time by the platform's clock, which can begin or end a silence.
    pub(super) fn tick(&mut self, rule: &RuleEntry, clock: Clock, suppression: Suppressed<'_>) -> Option<Change> {
        if rule.definition.condition.is_timed() { self.evaluate(rule, clock.now, clock, suppression) } else { None }
    }

    /// Remembers the values that a condition of several parts asks for; tells whether there is a newer one.
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

    /// Asks a condition of several parts at a time by the device's clock.
    fn evaluate(&mut self, rule: &RuleEntry, at: Time, clock: Clock, suppression: Suppressed<'_>) -> Option<Change> {
        let condition = &rule.definition.condition;
        let own = rule.definition.metric_key.as_str();
        let moment = Moment { metric_key: own, values: &self.values, clock };
        let lasting = self.is_raised();
        let holds = match &condition.clear {
            Some(clear) if lasting => !clear.holds(moment, false),
            _ => condition.criterion.holds(moment, lasting) && (lasting || condition.is_scheduled(at)),
        };
        // A condition that holds asks for a metric that has a value.
        let value = condition.metrics(own).into_iter().find_map(|metric| self.values.value(metric)).unwrap_or_default();
        // Sources have clocks of their own; here they meet.
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
            // Nobody knows whether it held in the gap, so that it begins here.
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

    /// Takes a value that came late: it may move the start of a breach, never begin or end one that stands.
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

    /// It did not hold throughout: what is known to hold begins with the newest value, if that is newer.
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
        if since - at > gap_bound(rule) {
            self.clear_up_to(at);
            return None;
        }
        if let Phase::Pending(_) = self.phase {
            self.phase = Phase::Pending(at);
            return None;
        }
        self.phase = Phase::Raised(at);
        // What came back has begun with the breach before.
        (self.repeats == 0).then_some(Change::StartAmended { episode: self.episode, started_at: at })
    }
}

fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(seconds.into())
}

fn gap_bound(rule: &RuleEntry) -> TimeDelta {
    seconds(rule.definition.condition.gap_bound())
}
