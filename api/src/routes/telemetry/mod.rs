//! Telemetry of devices and assets: historical and latest values, and retention.

mod history;
mod latest;
mod range;
mod retention;

/// The endpoints.
pub type Api = (history::Api, latest::Api, retention::get::Api, retention::change::Api);
