//! Stores sessions in their bucket: digests only, so that reading the bucket lets nobody sign in. Entries expire by
//! age.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::ids::OrganizationId;
use eventlog::buckets;
use uuid::Uuid;

use super::store::Vault;
use crate::error::Error;

/// The stored part of a session, under user and session id. It contains no usable token.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct StoredSession {
    /// The user's organisation.
    pub(crate) organization: OrganizationId,
    /// The user's access version when they signed in.
    pub(crate) access_version: u64,
    /// SHA-256 of the refresh token that is valid next.
    pub(crate) digest: String,
    /// End of the session.
    pub(crate) expires_at: DateTime<Utc>,
}

/// The result of a compare-and-set of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionUpdate {
    /// The new state is stored.
    Stored,
    /// Another request renewed or ended the session first.
    Conflict,
}

impl Vault {
    /// Stores a new session.
    pub(crate) async fn keep_session(&self, user: Uuid, session: Uuid, kept: &StoredSession) -> Result<(), Error> {
        self.opened()?.sessions.put(&name(user, session), encode(kept)?).await.map(drop).map_err(failed)
    }

    /// Returns a session with its revision.
    pub(crate) async fn session(&self, user: Uuid, session: Uuid) -> Result<Option<(StoredSession, u64)>, Error> {
        let Some((bytes, revision)) = self.opened()?.sessions.get(&name(user, session)).await.map_err(failed)? else {
            return Ok(None);
        };
        let kept = serde_json::from_slice(&bytes).map_err(|error| Error::Internal(error.into()))?;
        Ok(Some((kept, revision)))
    }

    /// Replaces a session that is still at this revision.
    pub(crate) async fn renew_session(
        &self,
        user: Uuid,
        session: Uuid,
        kept: &StoredSession,
        revision: u64,
    ) -> Result<SessionUpdate, Error> {
        match self.opened()?.sessions.update(&name(user, session), encode(kept)?, revision).await {
            Ok(_) => Ok(SessionUpdate::Stored),
            Err(buckets::Error::Conflict { .. }) => Ok(SessionUpdate::Conflict),
            Err(error) => Err(failed(error)),
        }
    }

    /// Deletes a session; does nothing if there is none.
    pub(crate) async fn end_session(&self, user: Uuid, session: Uuid) -> Result<(), Error> {
        let (sessions, name) = (&self.opened()?.sessions, name(user, session));
        // A deletion leaves a tombstone until it ages out: write none for a session that does not exist.
        match sessions.get(&name).await.map_err(failed)? {
            Some(_) => sessions.delete(&name).await.map_err(failed),
            None => Ok(()),
        }
    }
}

fn name(user: Uuid, session: Uuid) -> String {
    format!("{user}.{session}")
}

fn encode(kept: &StoredSession) -> Result<Bytes, Error> {
    serde_json::to_vec(kept).map(Bytes::from).map_err(|error| Error::Internal(error.into()))
}

fn failed(error: buckets::Error) -> Error {
    match error {
        buckets::Error::Key(_) => Error::Internal(error.into()),
        _ => Error::Unavailable(error.into()),
    }
}
