//! Users of an organisation.

mod create;
mod erase;
mod get;
mod list;
mod may_change;
mod reactivate;
mod suspend;
mod update;
mod view;

/// The endpoints.
pub type Api = (create::Api, list::Api, get::Api, update::Api, suspend::Api, reactivate::Api, erase::Api);
