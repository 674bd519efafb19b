//! Events of an activity template. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use super::TemplateDefinition;

use crate::aggregate::domain_event;

/// Events of an activity template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActivityTemplateEvent {
    /// The template was defined.
    ActivityTemplateDefined {
        /// The full definition.
        definition: TemplateDefinition,
    },
    /// Its definition was replaced.
    ActivityTemplateRevised {
        /// The full new definition.
        definition: TemplateDefinition,
    },
    /// It was retired.
    ActivityTemplateRetired {},
}

domain_event!(ActivityTemplateEvent { ActivityTemplateDefined "1.0", ActivityTemplateRevised "1.0", ActivityTemplateRetired "1.0" });
