//! When a condition is a breach, and when it is over: a pure state machine. What does not live here: reading, storing.

mod condition;
mod entity;
mod operator;
mod severity;
#[cfg(test)]
mod tests;
mod watch;

use uuid::Uuid;

pub use condition::Condition;
pub use entity::{EntityWatch, Sample};
pub use operator::Operator;
pub use severity::Severity;
pub use watch::{Change, Watch};

use crate::ids::{AlarmId, RuleId, derive};

/// Derives the id of an alarm: one for each breach (counted from 1) of a rule on an entity.
pub fn alarm_id(rule: RuleId, entity: Uuid, episode: u64) -> AlarmId {
    AlarmId(derive(rule.0, &[&entity.to_string(), &episode.to_string()]))
}
