//! Measured values: history and newest, of devices and assets.

mod history;
mod latest;
mod range;
mod retention;

/// The endpoints.
pub type Api = (history::Api, latest::Api, retention::get::Api, retention::change::Api);
