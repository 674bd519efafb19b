//! Devices and their certificates.

mod certificates;
mod create;
mod decommission;
mod get;
mod history;
mod issued;
mod list;
mod renew;
mod revoke;
mod update;
pub mod view;

/// The endpoints.
pub type Api = (
    (create::Api, get::Api, list::Api, update::Api, decommission::Api),
    (certificates::Api, renew::Api, revoke::Api, history::Api),
);
