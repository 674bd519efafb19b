//! Alarms.

mod acknowledge;
mod get;
mod list;
mod view;

/// The endpoints.
pub type Api = (list::Api, get::Api, acknowledge::Api);
