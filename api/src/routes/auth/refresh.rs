//! Exchanges the refresh token for a new access token and the next refresh token.

use commands::SessionError;

use super::sign_in_response::SignInResponse;
use crate::auth::RefreshCookie;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Renew the access token
    ///
    /// Takes the refresh token from its cookie, returns a new access token and sets the next cookie. Each refresh token
    /// works once: using it again ends the session.
    #[oai(path = "/auth/refresh", method = "post", tag = "Tag::Auth", operation_id = "refresh")]
    async fn call(&self, state: Data<&State>, cookie: RefreshCookie) -> Result<SignInResponse, Problem> {
        let refresh_token = cookie.0.ok_or(SessionError::Over)?;
        SignInResponse::to(&state, state.commands.renew_session(&refresh_token).await?)
    }
}
