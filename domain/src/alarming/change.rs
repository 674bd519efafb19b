//! What follows from a reading, or from time, for one rule on one entity.

use super::Suppression;
use super::rule_watch::Time;

/// A step of the condition that has effects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// The condition has held long enough.
    Raised {
        /// Episode number: counts the breaches of this rule on this entity, from 1.
        episode: u64,
        /// When it began to hold.
        started_at: Time,
        /// When it had held long enough.
        raised_at: Time,
        /// The value then.
        value: f64,
        /// Why its notifications are currently suppressed, if they are.
        suppression: Option<Suppression>,
    },
    /// It holds again within the pause after the alarm was raised: the same alarm comes back.
    Repeated {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// How often it came back.
        repeats: u32,
        /// The value then.
        value: f64,
        /// When.
        at: Time,
        /// Why its notifications are currently suppressed, if they are.
        suppression: Option<Suppression>,
        /// Whether this is the first notification of the episode.
        announce: bool,
    },
    /// Late data show that the breach began earlier.
    StartAmended {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// When it began to hold.
        started_at: Time,
    },
    /// Whether people are to hear of it changed while it lasted.
    SuppressionChanged {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// Why nobody is to hear of it now.
        suppression: Option<Suppression>,
        /// Whether this is the first notification of the episode.
        announce: bool,
        /// When.
        at: Time,
    },
    /// The condition no longer holds, or is no longer asked.
    Ended {
        /// Episode number of the breach, from 1.
        episode: u64,
        /// How often it had come back.
        repeats: u32,
        /// The value that ended it; none where the rule changed or went.
        value: Option<f64>,
        /// When.
        at: Time,
        /// Whether people hear of it: once, where they heard of the breach.
        announce: bool,
    },
}
