//! Which journal an installation keeps its events in: chosen once, remembered in a bucket, and refused when another one is
//! asked for, since the two would tell different stories under the same positions.

use std::fmt;

use bytes::Bytes;

use crate::buckets::{self, BucketName};
use crate::connection::Log;
use crate::inspect;
use crate::streams::Stream;

/// The entry that remembers the choice.
const KEY: &str = "event_store";

/// Where events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalKind {
    /// In JetStream itself.
    JetStream,
    /// In PostgreSQL, from where they are relayed.
    Postgres,
}

/// Why events cannot be kept there.
#[derive(Debug, thiserror::Error)]
pub enum JournalChoiceError {
    /// The installation keeps its events elsewhere.
    #[error(
        "this installation keeps its events in {kept}, and event_store asks for {chosen}: set event_store = \"{kept}\", \
         or begin a new installation"
    )]
    Other {
        /// Where they are.
        kept: JournalKind,
        /// Where they were to be.
        chosen: JournalKind,
    },
    /// What is remembered is no journal this version knows.
    #[error("this installation keeps its events in {0:?}, which this version does not know")]
    Unknown(String),
    /// The bucket does not answer.
    #[error("cannot tell where this installation keeps its events")]
    Bucket(#[from] buckets::Error),
    /// The streams do not answer.
    #[error("cannot tell whether this installation has events")]
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
    /// Returns where the installation keeps its events; none before its first start. One from before the choice was
    /// remembered has its events in JetStream.
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

    /// Remembers at the first start where events are kept; later ones must ask for the same.
    pub async fn choose_journal(&self, chosen: JournalKind) -> Result<(), JournalChoiceError> {
        if self.journal_kind().await?.is_none() {
            let bucket = self.bucket(BucketName::Platform).await?;
            match bucket.create(KEY, Bytes::from_static(chosen.name().as_bytes())).await {
                Ok(_) | Err(buckets::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Of two that start at once with different choices, the bucket decides.
        match self.journal_kind().await? {
            Some(kept) if kept != chosen => Err(JournalChoiceError::Other { kept, chosen }),
            _ => Ok(()),
        }
    }
}
