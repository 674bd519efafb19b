//! Certificates of all devices, and the renewal policy.

mod change_policy;
mod get;
mod get_policy;
mod list;
pub mod view;

/// The endpoints.
pub type Api = (get::Api, list::Api, get_policy::Api, change_policy::Api);
