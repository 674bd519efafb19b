//! Device types.

mod assign_converter;
mod create;
mod get;
mod list;
mod retire;
mod update;
pub mod view;

/// The endpoints.
pub type Api = (create::Api, get::Api, list::Api, update::Api, retire::Api, assign_converter::Api);
