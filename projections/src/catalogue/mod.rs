//! The catalogue beside the types: activity types, asset profiles, protocol converters, notification
//! channels. Its readers see what each says.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Catalogue;
pub use row::{EntryRow, StoredDefinition};

/// The projection's name.
pub const NAME: &str = "catalogue";
