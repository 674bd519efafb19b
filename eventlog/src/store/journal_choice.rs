//! The journal an installation stores its events in: chosen once, recorded in a bucket, and enforced from then on,
//! since two journals would assign the same positions to different events.

use std::fmt;

use bytes::Bytes;

use crate::buckets::{self, BucketName};
use crate::connection::Log;
use crate::inspect;
use crate::streams::Stream;

/// The key of the recorded choice.
const KEY: &str = "event_store";

/// Where events are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalKind {
    /// In JetStream itself.
    JetStream,
    /// In PostgreSQL, from where they are relayed to JetStream.
    Postgres,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalChoiceError {
    /// The installation stores its events elsewhere.
    #[error(
        "this installation stores its events in {kept}, but event_store is {chosen}: set event_store = \"{kept}\", \
         or start a new installation"
    )]
    Other {
        /// The recorded journal.
        kept: JournalKind,
        /// The configured journal.
        chosen: JournalKind,
    },
    /// The recorded journal is unknown to this version.
    #[error("this installation stores its events in {0:?}, which this version does not support")]
    Unknown(String),
    /// The bucket failed.
    #[error("cannot read where this installation stores its events")]
    Bucket(#[from] buckets::Error),
    /// The streams could not be read.
    #[error("cannot read whether this installation has events")]
    Stream(#[from] inspect::Error),
}

impl JournalKind {
    const ALL: [Self; 2] = [Self::JetStream, Self::Postgres];

    fn name(self) -> &'static str {
        match self {
            Self::JetStream => "jetstream",
            Self::Postgres => "postgres",
        }
    }
}

impl fmt::Display for JournalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Log {
    /// Returns the installation's journal; `None` before its first start. Installations older than the recorded choice
    /// have their events in JetStream.
    pub async fn journal_kind(&self) -> Result<Option<JournalKind>, JournalChoiceError> {
        if let Some((value, _)) = self.bucket(BucketName::Platform).await?.get(KEY).await? {
            let name = String::from_utf8_lossy(&value).into_owned();
            let known = JournalKind::ALL.into_iter().find(|kept| kept.name() == name);
            return known.map(Some).ok_or(JournalChoiceError::Unknown(name));
        }
        for stream in Stream::DOMAIN {
            if self.last_sequence(stream).await? > 0 {
                return Ok(Some(JournalKind::JetStream));
            }
        }
        Ok(None)
    }

    /// Records the journal at the first start; errors at later starts when another one is chosen.
    pub async fn choose_journal(&self, chosen: JournalKind) -> Result<(), JournalChoiceError> {
        if self.journal_kind().await?.is_none() {
            let bucket = self.bucket(BucketName::Platform).await?;
            match bucket.create(KEY, Bytes::from_static(chosen.name().as_bytes())).await {
                Ok(_) | Err(buckets::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // If two processes start concurrently with different choices, the bucket decides.
        match self.journal_kind().await? {
            Some(kept) if kept != chosen => Err(JournalChoiceError::Other { kept, chosen }),
            _ => Ok(()),
        }
    }
}
