//! The directory of assets: their details, their place in the asset tree, the devices linked to them. Their types are
//! in `type_catalogue`, their values in `telemetry_history` and `latest_telemetry`, their health in `asset_health`.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Assets;
pub use row::{AssetRow, LinkRow, PlaceRow};

/// The projection's name.
pub const NAME: &str = "asset_directory";
