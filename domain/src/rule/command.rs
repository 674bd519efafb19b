//! Commands of a threshold rule; `aggregate` decides on them.

use super::{RuleDefinition, RuleRevision};

/// Commands on a threshold rule.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleCommand {
    /// Adds the rule.
    DefineRule {
        /// All of it.
        definition: RuleDefinition,
    },
    /// Changes parts of it.
    ReviseRule {
        /// The parts that change.
        revision: RuleRevision,
    },
    /// Deletes it for its users; its history stays.
    RetireRule {},
}
