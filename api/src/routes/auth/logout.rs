//! Signs the caller out.

use poem_openapi::ApiResponse;

use crate::auth::{RefreshCookie, without_cookie};
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Confirms the sign-out and removes the cookie.
#[derive(ApiResponse)]
enum LogoutResponse {
    /// Signed out.
    #[oai(status = 200)]
    Out(
        Json<Success>,
        /// Removes the refresh token.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

#[OpenApi]
impl Api {
    /// Sign out
    ///
    /// Ends the session of the refresh token in the cookie, so that it yields no further access tokens. An access token
    /// issued before stays valid until it expires, 15 minutes at most.
    #[oai(path = "/auth/logout", method = "post", tag = "Tag::Auth", operation_id = "logout")]
    async fn call(&self, state: Data<&State>, cookie: RefreshCookie) -> Result<LogoutResponse, Problem> {
        if let Some(refresh_token) = cookie.0 {
            state.commands.end_session(&refresh_token).await.map_err(never_refused)?;
        }
        Ok(LogoutResponse::Out(Json(Success { success: true }), without_cookie(state.secure_cookies)))
    }
}
