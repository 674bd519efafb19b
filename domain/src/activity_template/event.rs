//! What may have happened to an activity template, as facts. Stored for ever: add versions, never change one.

use serde::{Deserialize, Serialize};

use super::TemplateDefinition;

use crate::aggregate::domain_event;

/// Events of an activity template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActivityTemplateEvent {
    /// The template was added.
    ActivityTemplateDefined {
        /// All of it.
        definition: TemplateDefinition,
    },
    /// Its definition was replaced.
    ActivityTemplateRevised {
        /// All of it.
        definition: TemplateDefinition,
    },
    /// It is used no more.
    ActivityTemplateRetired {},
}

domain_event!(ActivityTemplateEvent { ActivityTemplateDefined "1.0", ActivityTemplateRevised "1.0", ActivityTemplateRetired "1.0" });
