//! People of an organisation.

mod create;
mod erase;
mod get;
mod list;
mod reactivate;
mod subject;
mod suspend;
mod update;
mod view;

/// The endpoints.
pub type Api = (create::Api, list::Api, get::Api, update::Api, suspend::Api, reactivate::Api, erase::Api);
