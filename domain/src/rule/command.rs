//! Commands of a threshold rule; `aggregate` decides on them.

use super::{RuleDefinition, RuleRevision};

/// Commands on a threshold rule.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleCommand {
    /// Defines the rule.
    DefineRule {
        /// The full definition.
        definition: RuleDefinition,
    },
    /// Changes parts of the definition.
    ReviseRule {
        /// The parts that change.
        revision: RuleRevision,
    },
    /// Retires it. Users no longer see it; its history remains.
    RetireRule {},
}
