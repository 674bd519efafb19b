//! What whoever signs in is answered: an access token in the body, the refresh token in a cookie.

use commands::{Session, SignedIn};
use poem_openapi::ApiResponse;

use crate::auth::{Grant, TOKEN_SECONDS, refresh_cookie};
use crate::prelude::*;

/// Who signed in.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct SignedInUser {
    /// The person, or the key.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// Empty for a key.
    pub email: String,
    /// The organisation they belong to.
    pub organization_id: Uuid,
    /// `viewer`, `operator`, `engineer`, `admin` or `platform_admin`.
    pub role: String,
    /// Such as `technician`.
    pub work_roles: Vec<String>,
}

/// A token, and whose it is.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct LoginResponse {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds.
    expires_in: i64,
    user: SignedInUser,
}

/// A token, and the cookie for the next one.
#[derive(ApiResponse)]
pub enum SignInResponse {
    /// Signed in.
    #[oai(status = 200)]
    In(
        Json<LoginResponse>,
        /// The refresh token, for `POST /auth/refresh` alone.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

impl SignInResponse {
    /// Returns the answer for a session that has just begun or been renewed.
    pub fn to(state: &State, session: Session) -> Result<Self, Problem> {
        let now = state.now();
        let cookie = refresh_cookie(&session, state.secure_cookies, now);
        let SignedIn { user, organization, access_role, access_version, name, email, work_roles } = session.signed_in;
        let grant = Grant { user, organization, role: access_role, access_version };
        let access_token = state.tokens.issue(&grant, now).ok_or_else(|| Problem::new(Kind::Internal))?;
        let user = SignedInUser {
            id: user.0,
            name,
            email,
            organization_id: organization.0,
            role: access_role.to_string(),
            work_roles,
        };
        let token_type = "Bearer".to_owned();
        Ok(Self::In(Json(LoginResponse { access_token, token_type, expires_in: TOKEN_SECONDS, user }), cookie))
    }
}
