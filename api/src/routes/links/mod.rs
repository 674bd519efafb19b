//! Links: which device measures which asset, and when.

mod assets_of_device;
mod correct;
mod devices_of_asset;
mod get;
mod link;
mod unlink;
mod view;

/// The endpoints.
pub type Api = (get::Api, link::Api, correct::Api, unlink::Api, assets_of_device::Api, devices_of_asset::Api);
