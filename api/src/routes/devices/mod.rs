//! Devices, their certificates and tokens.

mod appoint_gateway;
mod bundle;
mod certificates;
mod claim_code;
mod create;
mod decommission;
mod dismiss_gateway;
mod download;
mod export;
mod gateway;
mod get;
mod history;
mod import;
mod issue_token;
pub mod issued;
mod list;
mod renew;
mod replace;
mod revoke;
mod revoke_token;
mod table;
mod tokens;
mod update;
pub mod view;
mod withdraw_claim_code;

/// The endpoints.
pub type Api = (
    (create::Api, get::Api, list::Api, update::Api, replace::Api, decommission::Api),
    (import::Api, export::Api),
    (certificates::Api, renew::Api, revoke::Api, history::Api),
    (bundle::Api, download::Api, claim_code::Api, withdraw_claim_code::Api),
    (issue_token::Api, tokens::Api, revoke_token::Api),
    (gateway::Api, appoint_gateway::Api, dismiss_gateway::Api),
);
