//! Renews a session: exchanges its refresh token for the next one. If a token is presented a second time, two parties
//! have it. Which of them is the rightful one is unknown, so the session ends for both (RFC 9700, section 4.14.2).

use domain::ids::UserId;
use domain::user::User;
use uuid::Uuid;

use super::{PREFIX, Session, SessionError, unavailable};
use crate::commands::Commands;
use crate::error::Error;
use crate::one_time_secret::{OneTimeSecret, PresentedSecret};
use crate::vault::{SessionUpdate, StoredSession};

impl Commands {
    /// Exchanges a refresh token for the next one if the user's access is unchanged since they signed in.
    pub async fn renew_session(&self, refresh_token: &str) -> Result<Session, SessionError> {
        let presented = PresentedSecret::read(PREFIX, refresh_token).ok_or(SessionError::Over)?;
        let (user, session) = (UserId(presented.first), presented.second);
        let vault = &self.inner.vault;
        let found = vault.session(user.0, session).await.map_err(unavailable)?;
        let (kept, revision) = found.ok_or(SessionError::Over)?;
        if kept.digest != presented.digest {
            tracing::warn!(%user, "refresh token presented twice; ending its session");
            return self.end(user, session, SessionError::Over).await;
        }
        if kept.expires_at <= self.now() {
            return self.end(user, session, SessionError::Over).await;
        }
        // Bypass the cache: a change by another process must take effect at once.
        let loaded = self.load_fresh::<User>(kept.organization, user.0).await.map_err(unavailable)?.state;
        if !loaded.is_active() {
            return self.end(user, session, SessionError::Deactivated).await;
        }
        if loaded.access_version != kept.access_version {
            return self.end(user, session, SessionError::Over).await;
        }
        match self.active_organization(kept.organization).await {
            Ok(_) => {}
            Err(Error::Refused(_)) => return Err(SessionError::OrganizationSuspended),
            Err(error) => return Err(unavailable(error)),
        }
        let signed_in = self.signed_in(kept.organization, user, loaded).await.map_err(unavailable)?;
        let next = OneTimeSecret::draw(PREFIX, user.0, session).map_err(unavailable)?;
        // A renewal does not extend the session.
        let expires_at = kept.expires_at;
        let renewed = StoredSession { digest: next.digest(), ..kept };
        match vault.renew_session(user.0, session, &renewed, revision).await.map_err(unavailable)? {
            SessionUpdate::Stored => Ok(Session { signed_in, refresh_token: next, expires_at }),
            // Two requests exchanged the same token at the same moment: treat it as presented twice.
            SessionUpdate::Conflict => self.end(user, session, SessionError::Over).await,
        }
    }

    async fn end<T>(&self, user: UserId, session: Uuid, why: SessionError) -> Result<T, SessionError> {
        self.inner.vault.end_session(user.0, session).await.map_err(unavailable)?;
        Err(why)
    }
}
