//! Threshold rules: what they watch, the condition of a breach, and the action that follows.

mod aggregate;
mod command;
mod error;
mod event;
mod revise;
#[cfg(test)]
mod tests;
mod validate;

mod definition;
pub use aggregate::Rule;
pub use command::RuleCommand;
pub use definition::{EntityKind, RuleAction, RuleDefinition, RuleRevision};
pub use error::Error;
pub use event::RuleEvent;
