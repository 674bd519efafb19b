//! Work orders.

mod assign;
mod cancel;
mod comment;
mod complete;
mod from_template;
mod get;
mod items;
mod list;
mod start;
mod view;

/// The endpoints.
pub type Api = (
    (from_template::Api, get::Api, list::Api),
    (assign::Api, start::Api, items::Api, complete::Api, cancel::Api, comment::Api),
);
