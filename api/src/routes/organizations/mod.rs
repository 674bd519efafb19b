//! Organisations: the tenants.

mod create;
mod get;
mod list;
mod view;

/// The endpoints.
pub type Api = (create::Api, get::Api, list::Api);
