//! Signing in and out, and who one is.

mod login;
mod logout;
mod me;
mod password;
mod refresh;
mod signed_in;

/// The endpoints.
pub type Api = (login::Api, refresh::Api, logout::Api, me::Api, password::Api);
