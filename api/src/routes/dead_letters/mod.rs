//! Endpoints of what was refused on its way.

mod discard;
mod get;
mod list;
mod redrive;
mod settle;
mod view;

/// The endpoints.
pub type Api = (list::Api, get::Api, redrive::Api, discard::Api);
