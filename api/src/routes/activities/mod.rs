//! Activities: work orders.

mod assign;
mod cancel;
mod check_item;
mod comment;
mod complete;
mod from_template;
mod get;
mod list;
mod start;
mod view;

/// The endpoints.
pub type Api = (
    (from_template::Api, get::Api, list::Api),
    (assign::Api, start::Api, check_item::Api, complete::Api, cancel::Api, comment::Api),
);
