//! Measured values: history and newest, of devices and assets.

mod asset;
mod asset_latest;
mod device;
mod device_latest;
mod latest;
mod range;
mod retention;

/// The endpoints.
pub type Api =
    (device::Api, asset::Api, device_latest::Api, asset_latest::Api, retention::get::Api, retention::change::Api);
