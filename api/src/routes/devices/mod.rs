//! Devices, their certificates and tokens.

mod appoint_gateway;
mod create;
mod csv_columns;
mod decommission;
mod dismiss_gateway;
mod download_bundle;
mod export;
mod fetch_bundle;
mod get;
mod get_gateway;
mod history;
mod import;
mod issue_claim_code;
mod issue_token;
pub mod issued_certificate;
mod list;
mod list_certificates;
mod list_tokens;
mod renew_certificate;
mod replace;
mod requested_certificate;
mod revoke_certificates;
mod revoke_token;
mod update;
pub mod view;
mod withdraw_claim_code;

/// The endpoints.
pub type Api = (
    (create::Api, get::Api, list::Api, update::Api, replace::Api, decommission::Api),
    (import::Api, export::Api),
    (list_certificates::Api, renew_certificate::Api, revoke_certificates::Api, history::Api),
    (fetch_bundle::Api, download_bundle::Api, issue_claim_code::Api, withdraw_claim_code::Api),
    (issue_token::Api, list_tokens::Api, revoke_token::Api),
    (get_gateway::Api, appoint_gateway::Api, dismiss_gateway::Api),
);
