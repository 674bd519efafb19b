//! The rule book: threshold rules and the templates of the work that follows them. What does not live here: evaluating.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Rules;
pub use row::{RuleRow, TemplateRow};

/// The projection's name.
pub const NAME: &str = "rule_book";
