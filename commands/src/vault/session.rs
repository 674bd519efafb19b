//! Sessions in their bucket: digests only, so that who reads it can sign in as nobody; an entry vanishes by age. What
//! does not live here: who may renew one.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::ids::OrganizationId;
use eventlog::buckets;
use uuid::Uuid;

use super::store::Vault;
use crate::error::Error;

/// What is kept of a session, under user and session: nothing that opens it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct StoredSession {
    /// The user's organisation.
    pub(crate) organization: OrganizationId,
    /// The user's count of changes when they signed in.
    pub(crate) access_version: u64,
    /// SHA-256 of the refresh token that is good next.
    pub(crate) digest: String,
    /// When the session is over.
    pub(crate) expires_at: DateTime<Utc>,
}

/// How a compare-and-set of a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionUpdate {
    /// It is kept.
    Stored,
    /// Somebody else was faster, or ended it.
    Conflict,
}

impl Vault {
    /// Keeps a new session.
    pub(crate) async fn keep_session(&self, user: Uuid, session: Uuid, kept: &StoredSession) -> Result<(), Error> {
        self.opened()?.sessions.put(&name(user, session), octets(kept)?).await.map(drop).map_err(failed)
    }

    /// Returns a session with its revision.
    pub(crate) async fn session(&self, user: Uuid, session: Uuid) -> Result<Option<(StoredSession, u64)>, Error> {
        let Some((octets, revision)) = self.opened()?.sessions.get(&name(user, session)).await.map_err(failed)? else {
            return Ok(None);
        };
        let kept = serde_json::from_slice(&octets).map_err(|error| Error::Internal(error.into()))?;
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
        match self.opened()?.sessions.update(&name(user, session), octets(kept)?, revision).await {
            Ok(_) => Ok(SessionUpdate::Stored),
            Err(buckets::Error::Conflict { .. }) => Ok(SessionUpdate::Conflict),
            Err(error) => Err(failed(error)),
        }
    }

    /// Deletes a session; nothing happens when there is none.
    pub(crate) async fn end_session(&self, user: Uuid, session: Uuid) -> Result<(), Error> {
        let (sessions, name) = (&self.opened()?.sessions, name(user, session));
        // A deletion leaves a mark behind until it is of age: none for what was never there.
        match sessions.get(&name).await.map_err(failed)? {
            Some(_) => sessions.delete(&name).await.map_err(failed),
            None => Ok(()),
        }
    }
}

fn name(user: Uuid, session: Uuid) -> String {
    format!("{user}.{session}")
}

fn octets(kept: &StoredSession) -> Result<Bytes, Error> {
    serde_json::to_vec(kept).map(Bytes::from).map_err(|error| Error::Internal(error.into()))
}

fn failed(error: buckets::Error) -> Error {
    match error {
        buckets::Error::Key(_) => Error::Internal(error.into()),
        _ => Error::Unavailable(error.into()),
    }
}
