//! Shelving: suppresses the alarms of one rule on one entity for a limited time (ISA-18.2, clause 12).

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

/// Longest duration of a shelving, days.
pub const MAX_DAYS: i64 = 30;

/// Derives the id of the shelving of a rule on an entity; there is one for each pair.
pub fn shelving_id(rule: RuleId, entity: Uuid) -> Uuid {
    derive(rule.0, &["shelving", &entity.to_string()])
}
