//! Sessions of people: begun by signing in, kept up by refresh tokens of which each is good once, ended by signing out,
//! by time, or by a change of what lets the user in. What does not live here: access tokens, which the API signs
//! itself.

mod access_status;
mod begin;
mod end;
mod renew;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Cause;
use crate::one_time_secret::OneTimeSecret;
use crate::user::SignedIn;

pub use access_status::AccessStatus;

/// What every refresh token begins with.
const PREFIX: &str = "argr_";

/// How long a session lasts, however often it is renewed.
pub const SESSION_LIFE: TimeDelta = TimeDelta::days(30);

/// A session with the refresh token that renews it next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub signed_in: SignedIn,
    /// Good once.
    pub refresh_token: OneTimeSecret,
    /// When the session is over.
    pub expires_at: DateTime<Utc>,
}

/// Why a session is not renewed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no such session: it has expired, was ended, or its refresh token was used before.
    #[error("the session is over: sign in again")]
    Over,
    /// The user's access has ended.
    #[error("the user is deactivated")]
    Deactivated,
    /// The user's organisation is suspended.
    #[error("the organisation is suspended")]
    OrganizationSuspended,
    /// It cannot be found out now.
    #[error("sessions are not to be had now")]
    Unavailable(#[source] Cause),
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(error: E) -> SessionError {
    SessionError::Unavailable(error.into())
}
