//! Commands of an activity template; `aggregate` decides on them.

use super::TemplateDefinition;

/// Commands on an activity template.
#[derive(Clone, Debug, PartialEq)]
pub enum ActivityTemplateCommand {
    /// Defines the template.
    DefineTemplate {
        /// The full definition.
        definition: TemplateDefinition,
    },
    /// Replaces its definition.
    ReviseTemplate {
        /// The full new definition.
        definition: TemplateDefinition,
    },
    /// Retires it; references to it stay valid.
    RetireTemplate {},
}
