//! The catalogue of activity types, asset profiles, protocol converters and notification channels. Device types and
//! asset types are in `type_catalogue`.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Catalogue;
pub use row::{EntryRow, StoredDefinition};

/// The projection's name.
pub const NAME: &str = "catalogue";
