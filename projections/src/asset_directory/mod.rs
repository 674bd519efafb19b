//! The directory of assets: what they are, where in the tree they stand, which devices feed them. What does not live
//! here: their types (`type_catalogue`), values and health.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Assets;
pub use row::{AssetRow, LinkRow, PlaceRow};

/// The projection's name.
pub const NAME: &str = "asset_directory";
