//! Certificates of all devices, and how they are renewed.

mod change_policy;
mod list;
mod policy;
pub mod view;

/// The endpoints.
pub type Api = (list::Api, policy::Api, change_policy::Api);
