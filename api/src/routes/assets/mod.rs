//! Assets and their tree.

mod create;
mod get;
mod health;
mod list;
mod out_of_service;
mod retire;
mod update;
pub mod view;

/// The endpoints.
pub type Api = (create::Api, get::Api, list::Api, update::Api, retire::Api, out_of_service::Api, health::Api);
