//! What may be asked of an activity template. What does not live here: the decision.

use super::TemplateDefinition;

/// Commands on an activity template.
#[derive(Clone, Debug, PartialEq)]
pub enum ActivityTemplateCommand {
    /// Adds the template.
    DefineTemplate {
        /// All of it.
        definition: TemplateDefinition,
    },
    /// Replaces its definition.
    ReviseTemplate {
        /// All of it.
        definition: TemplateDefinition,
    },
    /// Ends its use.
    RetireTemplate {},
}
