//! Organisations: the tenants of the platform.

mod create;
mod get;
mod list;
mod reactivate;
mod suspend;
mod update;
mod view;

/// The endpoints.
pub type Api = (create::Api, get::Api, list::Api, update::Api, suspend::Api, reactivate::Api);
