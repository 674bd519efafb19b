//! Signs a person in.

use crate::auth::{Caller, TOKEN_SECONDS};
use crate::prelude::*;

use super::SignedInUser;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Who wants to sign in.
#[derive(Object)]
struct LoginRequest {
    #[oai(validator(max_length = 254))]
    email: String,
    #[oai(validator(max_length = 200))]
    password: String,
}

/// A token, and whose it is.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct LoginResponse {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds.
    expires_in: i64,
    user: SignedInUser,
}

#[OpenApi]
impl Api {
    /// Sign in
    ///
    /// Answers an access token that is valid for an hour. A wrong address and a wrong password are told apart by nothing.
    #[oai(path = "/auth/login", method = "post", tag = "Tag::Auth", operation_id = "login")]
    async fn call(&self, state: Data<&State>, body: Body<LoginRequest>) -> Result<Json<LoginResponse>, Problem> {
        let signed_in = state.commands.verify_password(&body.0.email, &body.0.password).await?;
        let caller = Caller { user: signed_in.user, organization: signed_in.organization, role: signed_in.access_role };
        let access_token = state.tokens.issue(&caller, state.now()).ok_or_else(|| Problem::new(Kind::Internal))?;
        Ok(Json(LoginResponse {
            access_token,
            token_type: "Bearer".to_owned(),
            expires_in: TOKEN_SECONDS,
            user: SignedInUser {
                id: caller.user.0,
                name: signed_in.name,
                email: signed_in.email,
                organization_id: caller.organization.0,
                role: caller.role.to_string(),
                work_roles: signed_in.work_roles,
            },
        }))
    }
}
