//! Assets and their tree.

mod create;
mod get;
mod health;
mod list;
mod retire;
mod service;
mod update;
pub mod view;

/// The endpoints.
pub type Api = (create::Api, get::Api, list::Api, update::Api, retire::Api, service::Api, health::Api);
