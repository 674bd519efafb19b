//! Whether the alarms of one rule on one entity are put aside for a time (ISA-18.2, clause 12).

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use aggregate::Shelving;
pub use command::ShelvingCommand;
pub use error::Error;
pub use event::ShelvingEvent;

use crate::ids::{RuleId, derive};

/// Longest time for which alarms are put aside, days.
pub const MAX_DAYS: i64 = 30;

/// Derives the id of the one shelving that a rule and an entity have.
pub fn shelving_id(rule: RuleId, entity: Uuid) -> Uuid {
    derive(rule.0, &["shelving", &entity.to_string()])
}
