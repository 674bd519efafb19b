//! The catalogue of device types and asset types. Readers see which metrics a device may
//! send and how an asset is scored.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Types;
pub use row::{AssetTypeRow, DeviceTypeRow};

/// The projection's name.
pub const NAME: &str = "type_catalogue";
