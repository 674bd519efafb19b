//! Dead letters: messages that were rejected.

mod discard;
mod get;
mod list;
mod redrive;
mod settle;
mod view;

/// The endpoints.
pub type Api = (list::Api, get::Api, redrive::Api, discard::Api);
