//! One rule on one entity: how a breach begins, lasts, and ends. All times are measured times.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::directory::RuleEntry;

type Time = DateTime<Utc>;

/// A step of the condition that has effects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// The condition has held long enough.
    Raised {
        /// Which breach of this rule and entity, from 1.
        episode: u64,
        /// When it began to hold.
        started_at: Time,
        /// When it had held long enough.
        raised_at: Time,
        /// The value then.
        value: f64,
    },
    /// Late data show that the breach began earlier.
    StartAmended {
        /// Which breach.
        episode: u64,
        /// When it began to hold.
        started_at: Time,
    },
    /// The condition no longer holds, or is no longer asked.
    Ended {
        /// Which breach.
        episode: u64,
        /// The value that ended it; none where the rule changed or went.
        value: Option<f64>,
        /// When.
        at: Time,
    },
}

/// What is known of one rule on one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
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
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Phase {
    #[default]
    Normal,
    /// Holds, but not for long enough, or within the pause after an alarm.
    Pending(#[serde(with = "chrono::serde::ts_microseconds")] Time),
    /// An alarm stands; the breach began then.
    Raised(#[serde(with = "chrono::serde::ts_microseconds")] Time),
}

impl Watch {
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
    pub(super) fn follow(&mut self, rule: &RuleEntry, now: Time) -> Option<Change> {
        if self.decides_since == rule.decides_since {
            return None;
        }
        let ended = self.abandon(now);
        self.decides_since = rule.decides_since;
        ended
    }

    /// Ends what stands because the rule changed or went; only the count of breaches stays.
    pub(super) fn abandon(&mut self, now: Time) -> Option<Change> {
        let at = self.newest.map_or(now, |newest| newest.max(now));
        let ended = self.is_raised().then_some(Change::Ended { episode: self.episode, value: None, at });
        let Self { decides_since, episode, newest, .. } = *self;
        // What was seen under the former condition says nothing of another one's start.
        *self = Self { decides_since, episode, newest, clear_until: newest, ..Self::default() };
        ended
    }

    /// Takes a value; `is_history` says that the entity has newer readings already.
    pub(super) fn observe(&mut self, rule: &RuleEntry, at: Time, value: f64, is_history: bool) -> Option<Change> {
        let holds = rule.definition.condition.holds(value);
        match self.newest {
            Some(newest) if newest == at => None,
            Some(newest) if newest > at => self.learn(at, holds),
            _ if is_history => self.learn(at, holds),
            _ => self.step(rule, at, value, holds),
        }
    }

    fn step(&mut self, rule: &RuleEntry, at: Time, value: f64, holds: bool) -> Option<Change> {
        self.newest = Some(at);
        if !holds {
            let ended = self.is_raised().then_some(Change::Ended { episode: self.episode, value: Some(value), at });
            self.clear_up_to(at);
            self.phase = Phase::Normal;
            return ended;
        }
        let started_at = match self.phase {
            Phase::Normal => at,
            Phase::Pending(since) => since,
            Phase::Raised(_) => return None,
        };
        if !self.is_due(rule, started_at, at) {
            self.phase = Phase::Pending(started_at);
            return None;
        }
        self.episode += 1;
        self.raised_at = Some(at);
        self.phase = Phase::Raised(started_at);
        Some(Change::Raised { episode: self.episode, started_at, raised_at: at, value })
    }

    fn is_due(&self, rule: &RuleEntry, started_at: Time, at: Time) -> bool {
        let seconds = |seconds: u32| TimeDelta::seconds(seconds.into());
        let lasted = at - started_at >= seconds(rule.definition.condition.duration_seconds);
        let paused = self.raised_at.is_some_and(|raised| at - raised < seconds(rule.definition.cooldown_seconds));
        lasted && !paused
    }

    /// Takes a value that came late: it may move the start of a breach, never begin or end one that stands.
    fn learn(&mut self, at: Time, holds: bool) -> Option<Change> {
        self.newest = self.newest.max(Some(at));
        match self.phase {
            Phase::Normal => self.clear_up_to(at),
            Phase::Pending(since) | Phase::Raised(since) if holds => return self.amend(at, since),
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

    fn amend(&mut self, at: Time, since: Time) -> Option<Change> {
        if at >= since || self.clear_until.is_some_and(|clear| clear >= at) {
            return None;
        }
        if let Phase::Pending(_) = self.phase {
            self.phase = Phase::Pending(at);
            return None;
        }
        self.phase = Phase::Raised(at);
        Some(Change::StartAmended { episode: self.episode, started_at: at })
    }
}
