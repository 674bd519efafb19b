//! System events.

mod list;

/// The endpoints.
pub type Api = list::Api;
