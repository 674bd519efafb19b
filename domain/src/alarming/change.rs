//! Changes in the state of one rule on one entity, caused by a reading or by the passage of time.

use super::rule_watch::Time;
use super::{Severity, Suppression};

/// A state change with effects outside the state machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// The condition has held for its full duration: a new alarm is raised.
    Raised {
        /// Episode number: counts the breaches of this rule on this entity, from 1.
        episode: u64,
        /// When the condition began to hold.
        started_at: Time,
        /// When it had held for its full duration.
        raised_at: Time,
        /// The value at that time.
        value: f64,
        /// Why notifications are suppressed, if they are.
        suppression: Option<Suppression>,
    },
    /// The condition holds again within the cooldown of the last alarm: the same alarm becomes active again.
    Repeated {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// How often the breach has recurred.
        repeats: u32,
        /// The value at that time.
        value: f64,
        /// When it recurred.
        at: Time,
        /// Why notifications are suppressed, if they are.
        suppression: Option<Suppression>,
        /// Whether this is the first notification of the episode.
        announce: bool,
        /// The severity with which the alarm was raised, if it is known.
        severity: Option<Severity>,
    },
    /// Late data show that the breach began earlier.
    StartAmended {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// When the condition began to hold.
        started_at: Time,
    },
    /// The suppression of an active alarm changed.
    SuppressionChanged {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// Why notifications are suppressed now, if they are.
        suppression: Option<Suppression>,
        /// Whether this is the first notification of the episode.
        announce: bool,
        /// When it changed.
        at: Time,
        /// The severity with which the alarm was raised, if it is known.
        severity: Option<Severity>,
    },
    /// The condition no longer holds, under the present or an edited definition, or the rule no longer applies.
    Ended {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// How often the breach had recurred.
        repeats: u32,
        /// The value that ended it; `None` if the rule was edited or no longer applies.
        value: Option<f64>,
        /// When it ended.
        at: Time,
        /// Whether to send a notification: once per episode, and only if the breach itself was notified.
        announce: bool,
        /// The severity with which the alarm was raised, if it is known.
        severity: Option<Severity>,
    },
}
