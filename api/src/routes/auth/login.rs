//! Signs a person in.

use commands::SignInError;

use super::sign_in_response::SignInResponse;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::rate_limits::{ClientAddress, Meter};

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

#[OpenApi]
impl Api {
    /// Sign in
    ///
    /// Answers an access token that is valid for 15 minutes, and sets a cookie by which `POST /auth/refresh` answers the
    /// next one. A wrong address and a wrong password are told apart by nothing. Too many failed attempts with one address
    /// are refused for a while, right or wrong.
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
