//! The activity board: work orders from creation to their end, with checklist and comments. What does not live here:
//! what makes them.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Activities;
pub use row::{ActivityRow, Comment, Item};

/// The projection's name.
pub const NAME: &str = "activity_board";
