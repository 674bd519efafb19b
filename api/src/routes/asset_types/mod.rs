//! Asset types.

mod create;
mod get;
mod list;
mod retire;
mod update;
mod view;

/// The endpoints.
pub type Api = (create::Api, get::Api, list::Api, update::Api, retire::Api);
