//! The catalogue of device types and asset types. Its readers see what a device may send and how an asset is scored.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Types;
pub use row::{AssetTypeRow, DeviceTypeRow};

/// The projection's name.
pub const NAME: &str = "type_catalogue";
