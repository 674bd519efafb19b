//! The response to a sign-in: an access token in the body, the refresh token in a cookie.

use commands::{Session, SignedIn};
use poem_openapi::ApiResponse;

use crate::auth::{Grant, TOKEN_SECONDS, refresh_cookie};
use crate::prelude::*;

/// The signed-in user or API key.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct SignedInUser {
    /// Id of the user or the API key.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// Empty for a key.
    pub email: String,
    /// The organisation that the caller belongs to.
    pub organization_id: Uuid,
    /// `viewer`, `operator`, `engineer`, `admin` or `platform_admin`.
    pub role: String,
    /// Work roles, such as `technician`.
    pub work_roles: Vec<String>,
}

/// An access token and its user.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct LoginResponse {
    /// Sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Validity in seconds.
    expires_in: i64,
    user: SignedInUser,
}

/// An access token, and the cookie that renews it.
#[derive(ApiResponse)]
pub enum SignInResponse {
    /// The caller is signed in.
    #[oai(status = 200)]
    In(
        Json<LoginResponse>,
        /// The refresh token, used only by `POST /auth/refresh`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

impl SignInResponse {
    /// Returns the response for a session that was just started or renewed.
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
