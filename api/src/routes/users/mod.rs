//! People of an organisation.

mod create;
mod list;
mod view;

/// The endpoints.
pub type Api = (create::Api, list::Api);
