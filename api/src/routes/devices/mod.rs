//! Devices, their certificates and tokens.

mod appoint_gateway;
mod certificates;
mod create;
mod decommission;
mod dismiss_gateway;
mod gateway;
mod get;
mod history;
mod issue_token;
mod issued;
mod list;
mod renew;
mod revoke;
mod revoke_token;
mod tokens;
mod update;
pub mod view;

/// The endpoints.
pub type Api = (
    (create::Api, get::Api, list::Api, update::Api, decommission::Api),
    (certificates::Api, renew::Api, revoke::Api, history::Api),
    (issue_token::Api, tokens::Api, revoke_token::Api),
    (gateway::Api, appoint_gateway::Api, dismiss_gateway::Api),
);
