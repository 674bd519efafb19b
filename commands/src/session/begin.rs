//! Begins a session for a user who has just signed in.

use uuid::Builder;

use super::{PREFIX, SESSION_LIFE, Session};
use crate::commands::Commands;
use crate::error::Error;
use crate::one_time_secret::OneTimeSecret;
use crate::random;
use crate::user::SignedIn;
use crate::vault::StoredSession;

impl Commands {
    /// Begins a session and returns it with its first refresh token.
    pub async fn begin_session(&self, signed_in: SignedIn) -> Result<Session, Error> {
        // Random, not derived: every sign-in begins a session of its own.
        let session = Builder::from_random_bytes(random::bytes()?).into_uuid();
        let refresh_token = OneTimeSecret::draw(PREFIX, signed_in.user.0, session)?;
        let expires_at = self.now() + SESSION_LIFE;
        let kept = StoredSession {
            organization: signed_in.organization,
            access_version: signed_in.access_version,
            digest: refresh_token.digest(),
            expires_at,
        };
        self.inner.vault.keep_session(signed_in.user.0, session, &kept).await?;
        Ok(Session { signed_in, refresh_token, expires_at })
    }
}
