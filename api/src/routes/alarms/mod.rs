//! Alarms.

mod acknowledge;
mod assign;
mod comment;
mod dismiss;
mod get;
mod list;
mod shelve;
mod unshelve;
mod view;

/// The endpoints.
pub type Api =
    (list::Api, get::Api, acknowledge::Api, assign::Api, comment::Api, dismiss::Api, shelve::Api, unshelve::Api);
