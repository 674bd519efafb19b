//! Alarm evaluation: a pure state machine that decides when a rule's condition becomes a breach and when the breach
//! ends. Reading the streams and persisting the state live in the `processing` crate's `rule_evaluator`.

mod change;
mod clock;
mod condition;
mod criterion;
#[cfg(test)]
mod edit_tests;
mod entity_watch;
#[cfg(test)]
mod model_tests;
mod newest_values;
mod operator;
mod rule_watch;
mod schedule;
mod severity;
mod suppression;
#[cfg(test)]
mod suppression_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;

use uuid::Uuid;

pub use change::Change;
pub use clock::Clock;
pub use condition::{Condition, DEFAULT_MAX_GAP_SECONDS};
pub use criterion::{Comparison, Criterion, MAX_DEPTH, MAX_PARTS, MIN_SILENCE_SECONDS, Silence};
pub use entity_watch::{EntityWatch, Sample};
pub use newest_values::NewestValues;
pub use operator::Operator;
pub use rule_watch::RuleWatch;
pub use schedule::{MAX_WINDOWS, Schedule, Window};
pub use severity::Severity;
pub use suppression::Suppression;

use crate::ids::{AlarmId, RuleId, derive};

/// Derives the id of an alarm from the rule, the entity and the episode number, from 1.
pub fn alarm_id(rule: RuleId, entity: Uuid, episode: u64) -> AlarmId {
    AlarmId(derive(rule.0, &[&entity.to_string(), &episode.to_string()]))
}
