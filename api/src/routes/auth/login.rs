//! Signs a user in with e-mail address and password.

use commands::SignInError;

use super::sign_in_response::SignInResponse;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::rate_limits::{ClientAddress, Meter};

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The credentials.
#[derive(Object)]
struct LoginRequest {
    #[oai(validator(max_length = 254))]
    email: String,
    #[oai(validator(max_length = 200))]
    password: String,
}

#[OpenApi]
impl Api {
    /// Sign in
    ///
    /// Returns an access token that is valid for 15 minutes, and sets a cookie with which `POST /auth/refresh` returns
    /// the next one. Responses do not reveal whether the address or the password was wrong. After too many failed
    /// attempts with an address, all attempts are refused for a while, even with the right password.
    #[oai(path = "/auth/login", method = "post", tag = "Tag::Auth", operation_id = "login")]
    async fn call(
        &self,
        state: Data<&State>,
        meter: Data<&Meter>,
        address: Data<&ClientAddress>,
        body: Body<LoginRequest>,
    ) -> Result<SignInResponse, Problem> {
        let LoginRequest { email, password } = body.0;
        let hash = state.commands.email_hash(&email).map_err(never_refused)?;
        let attempt = state.limiter.attempt(&meter, hash, **address).await?;
        let signed_in = match state.commands.verify_password(&email, &password).await {
            Ok(signed_in) => signed_in,
            Err(error) => {
                // A failure of the platform must not count against the caller.
                if !matches!(error, SignInError::WrongCredentials) {
                    state.limiter.unjudged(attempt).await;
                }
                return Err(error.into());
            }
        };
        state.limiter.succeeded(attempt).await;
        let session = state.commands.begin_session(signed_in).await.map_err(never_refused)?;
        SignInResponse::to(&state, session)
    }
}
