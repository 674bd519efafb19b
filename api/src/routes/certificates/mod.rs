//! Certificates of all devices, and how they are renewed.

mod change_policy;
mod get;
mod list;
mod policy;
pub mod view;

/// The endpoints.
pub type Api = (get::Api, list::Api, policy::Api, change_policy::Api);
