//! The activity board: work orders from creation to completion or cancellation, with checklist and comments. They are
//! created by the stage `activity_creator` or through the API.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Activities;
pub use row::{ActivityRow, Comment, Item};

/// The projection's name.
pub const NAME: &str = "activity_board";
