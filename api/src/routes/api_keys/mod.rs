//! API keys, with which machines call the API.

mod create;
mod list;
mod revoke;
mod view;

/// The endpoints.
pub type Api = (create::Api, list::Api, revoke::Api);
