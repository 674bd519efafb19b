//! Signing in, and who one is.

mod login;
mod me;

use poem_openapi::Object;
use uuid::Uuid;

/// The endpoints.
pub type Api = (login::Api, me::Api);

/// Who signed in.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct SignedInUser {
    id: Uuid,
    name: String,
    email: String,
    organization_id: Uuid,
    role: String,
    work_roles: Vec<String>,
}
