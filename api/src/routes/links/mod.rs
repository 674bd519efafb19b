//! Which device measures which asset.

mod assets_of_device;
mod devices_of_asset;
mod link;
mod unlink;

/// The endpoints.
pub type Api = (link::Api, unlink::Api, assets_of_device::Api, devices_of_asset::Api);
