//! Activity templates: which work orders a trigger creates.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod definition;
pub use aggregate::ActivityTemplate;
pub(crate) use aggregate::first_invalid_item;
pub use command::ActivityTemplateCommand;
pub use definition::{ChecklistItem, MAX_DUE_HOURS, TemplateDefinition, TriggerEventType};
pub use error::Error;
pub use event::ActivityTemplateEvent;
