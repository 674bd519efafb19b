//! Changes the caller's own password.

use super::sign_in_response::SignInResponse;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::rate_limits::{ClientAddress, Meter};

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The current and the new password.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ChangePassword {
    #[oai(validator(max_length = 200))]
    current_password: String,
    /// 8 to 200 characters.
    #[oai(validator(max_length = 200))]
    new_password: String,
}

#[OpenApi]
impl Api {
    /// Change the caller's password
    ///
    /// Ends all sessions of the caller and starts a new one, with the same response as `POST /auth/login`.
    #[oai(path = "/auth/password", method = "post", tag = "Tag::Auth", operation_id = "changePassword")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        meter: Data<&Meter>,
        address: Data<&ClientAddress>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<ChangePassword>,
    ) -> Result<SignInResponse, Problem> {
        let user = caller.person()?;
        let ChangePassword { current_password, new_password } = body.0;
        let profile = state.commands.user_profile(caller.home, user).await.map_err(never_refused)?;
        let email = profile.ok_or_else(|| Problem::not_found("user"))?.email;
        let hash = state.commands.email_hash(&email).map_err(never_refused)?;
        // Counts as a sign-in attempt, so that a stolen access token cannot be used to guess the password.
        let attempt = state.limiter.attempt(&meter, hash, **address).await?;
        let wrong = || Problem::field("currentPassword", "is not the current password");
        state.commands.verify_password(&email, &current_password).await.map_err(|error| match error {
            commands::SignInError::WrongCredentials => wrong(),
            other => other.into(),
        })?;
        state.limiter.succeeded(attempt).await;
        let context = commands::CommandContext { organization: caller.home, ..intent.context(&caller) };
        state.commands.set_password(&context, user, &new_password).await.map_err(named)?;
        let signed_in = state.commands.verify_password(&email, &new_password).await?;
        let session = state.commands.begin_session(signed_in).await.map_err(never_refused)?;
        SignInResponse::to(&state, session)
    }
}

/// The password field has another name here than in `POST /users`.
fn named(error: commands::Error<commands::user::Refusal>) -> Problem {
    match error {
        commands::Error::Refused(refusal @ commands::user::Refusal::InvalidPassword) => {
            Problem::field("newPassword", refusal)
        }
        other => other.into(),
    }
}
