//! User sessions: signing in begins one, single-use refresh tokens renew it, and signing out, expiry or a change of the
//! user's access ends it. The API signs the access tokens.

mod access_status;
mod begin;
mod end;
mod renew;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Cause;
use crate::one_time_secret::OneTimeSecret;
use crate::user::SignedIn;

pub use access_status::AccessStatus;

/// Prefix of every refresh token.
const PREFIX: &str = "argr_";

/// How long a session lasts, however often it is renewed.
pub const SESSION_LIFE: TimeDelta = TimeDelta::days(30);

/// A session with the refresh token that renews it next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The signed-in user.
    pub signed_in: SignedIn,
    /// The next refresh token; it can be used once.
    pub refresh_token: OneTimeSecret,
    /// End of the session.
    pub expires_at: DateTime<Utc>,
}

/// Why a session is not renewed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no such session: it has expired, was ended, or its refresh token was used before.
    #[error("the session has ended: sign in again")]
    Over,
    /// The user is deactivated.
    #[error("the user is deactivated")]
    Deactivated,
    /// The user's organisation is suspended.
    #[error("the organisation is suspended")]
    OrganizationSuspended,
    /// The session bucket or the log does not answer, or stored data is damaged.
    #[error("sessions are unavailable at the moment")]
    Unavailable(#[source] Cause),
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(error: E) -> SessionError {
    SessionError::Unavailable(error.into())
}
