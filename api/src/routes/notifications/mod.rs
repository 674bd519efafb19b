//! Notifications about alarms, and the secret that signs webhooks.

mod get;
mod list;
mod resend;
mod rotate_secret;
mod view;

/// The endpoints.
pub type Api = (list::Api, get::Api, resend::Api, rotate_secret::Api);
