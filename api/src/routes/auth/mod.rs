//! Signing in and out, and the caller's own account.

mod login;
mod logout;
mod me;
mod password;
mod refresh;
mod sign_in_response;

/// The endpoints.
pub type Api = (login::Api, refresh::Api, logout::Api, me::Api, password::Api);
