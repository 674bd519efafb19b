//! The rule book: threshold rules, and the templates of the activities that they trigger. Rules are evaluated by the
//! stage `rule_evaluator`.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Rules;
pub use row::{RuleRow, TemplateRow};

/// The projection's name.
pub const NAME: &str = "rule_book";
