//! Key-value buckets: one current value per key, with a revision for compare-and-set. Values are opaque here;
//! [`crate::secrets`] encrypts secrets.

use std::time::Duration;

use async_nats::jetstream::context::KeyValueError;
use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::Bytes;
use futures_util::TryStreamExt;

use crate::connection::Log;

/// A declared bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BucketName {
    /// Snapshots of aggregates: a cache that can be rebuilt from events.
    Snapshots,
    /// State and input positions of the stages.
    StageState,
    /// Live processes; entries expire 8 s after their last renewal.
    Members,
    /// Encrypted secrets.
    Secrets,
    /// Encrypted certificate bundles awaiting their single download; entries expire after 15 minutes.
    Bundles,
    /// Published certificate revocation lists.
    Crls,
    /// User sessions; entries expire 30 days after their last renewal.
    Sessions,
    /// Idempotency keys of accepted requests; entries expire after a day.
    Requests,
    /// Facts about the installation, such as its id.
    Platform,
}

impl BucketName {
    /// Every declared bucket.
    pub const ALL: [BucketName; 9] = [
        Self::Snapshots,
        Self::StageState,
        Self::Members,
        Self::Secrets,
        Self::Bundles,
        Self::Crls,
        Self::Sessions,
        Self::Requests,
        Self::Platform,
    ];

    /// Returns the bucket's name without the installation's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Snapshots => "snapshots",
            Self::StageState => "stage_state",
            Self::Members => "members",
            Self::Secrets => "secrets",
            Self::Bundles => "bundles",
            Self::Crls => "crls",
            Self::Sessions => "sessions",
            Self::Requests => "requests",
            Self::Platform => "platform",
        }
    }

    /// Returns how long an entry lives; zero means without limit.
    pub fn max_age(self) -> Duration {
        match self {
            Self::Members => Duration::from_secs(8),
            Self::Bundles => Duration::from_secs(15 * 60),
            Self::Sessions => Duration::from_secs(30 * 24 * 60 * 60),
            Self::Requests => Duration::from_secs(24 * 60 * 60),
            _ => Duration::ZERO,
        }
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a bucket operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket could not be opened.
    #[error("cannot open bucket {bucket}")]
    Open {
        /// The bucket's full name.
        bucket: String,
        /// The server's answer.
        #[source]
        source: KeyValueError,
    },
    /// The entry is not at the expected revision because another client wrote it.
    #[error("{bucket}/{key} was changed by another client")]
    Conflict {
        /// The bucket's full name.
        bucket: String,
        /// The key.
        key: String,
    },
    /// The key contains characters other than letters, digits and `-/_=.`, or has an empty part between dots.
    #[error("{0:?} is not a valid key")]
    Key(String),
    /// Reading failed.
    #[error("cannot read {bucket}/{key}")]
    Read {
        /// The bucket's full name.
        bucket: String,
        /// The key, or `*` for all keys.
        key: String,
        /// The server's answer.
        #[source]
        source: Source,
    },
    /// Writing failed; the value may or may not have been stored.
    #[error("cannot write {bucket}/{key}")]
    Write {
        /// The bucket's full name.
        bucket: String,
        /// The key.
        key: String,
        /// The server's answer.
        #[source]
        source: Source,
    },
}

/// An open bucket. Clones share it.
#[derive(Clone)]
pub struct Bucket {
    store: Store,
}

impl Log {
    /// Opens a declared bucket.
    pub async fn bucket(&self, bucket: BucketName) -> Result<Bucket, Error> {
        let name = self.settings().bucket_name(bucket);
        match self.jetstream().get_key_value(&name).await {
            Ok(store) => Ok(Bucket { store }),
            Err(source) => Err(Error::Open { bucket: name, source }),
        }
    }
}

impl Bucket {
    /// Returns a key's value and revision as the bucket's leader has them; `None` when the key is absent or deleted.
    pub async fn get(&self, key: &str) -> Result<Option<(Bytes, u64)>, Error> {
        let read = self.store.stream.get_last_raw_message_by_subject(&self.subject(key)?).await;
        match read {
            Ok(raw) if raw.headers.get("KV-Operation").is_some() => Ok(None),
            Ok(raw) => Ok(Some((raw.payload, raw.sequence))),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(self.read_error(key, error)),
        }
    }

    /// Returns a key's value and revision from any replica: faster on a cluster, but possibly stale for a moment.
    pub async fn get_from_any_replica(&self, key: &str) -> Result<Option<(Bytes, u64)>, Error> {
        check(key)?;
        let entry = self.store.entry(key).await.map_err(|error| self.read_error(key, error))?;
        Ok(entry.filter(|entry| entry.operation == Operation::Put).map(|entry| (entry.value, entry.revision)))
    }

    /// Writes a value unconditionally and returns its revision.
    pub async fn put(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        check(key)?;
        self.store.put(key, value).await.map_err(|error| self.write_error(key, error))
    }

    /// Writes a value if the key is absent or deleted, and returns its revision; otherwise [`Error::Conflict`].
    pub async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        check(key)?;
        match self.store.create(key, value.clone()).await {
            Ok(revision) => Ok(revision),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Err(self.conflict(key)),
            Err(error) => self.resolve_lost_reply(key, value, error).await,
        }
    }

    /// Writes a value if the key is at `revision`, and returns the new revision; otherwise [`Error::Conflict`].
    pub async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error> {
        check(key)?;
        match self.store.update(key, value.clone(), revision).await {
            Ok(revision) => Ok(revision),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Err(self.conflict(key)),
            Err(error) => self.resolve_lost_reply(key, value, error).await,
        }
    }

    /// Deletes a key; deleting an absent key has no effect.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        check(key)?;
        self.store.purge(key).await.map_err(|error| self.write_error(key, error))
    }

    /// Lists all keys that have a value, in no particular order.
    pub async fn keys(&self) -> Result<Vec<String>, Error> {
        let keys = self.store.keys().await.map_err(|error| self.read_error("*", error))?;
        keys.try_collect().await.map_err(|error| self.read_error("*", error))
    }

    /// Resolves a compare-and-set whose reply was lost: it succeeded exactly if the bucket now holds the value. A value
    /// that names its writer, as a stage's state does, cannot be confused with another client's.
    async fn resolve_lost_reply(&self, key: &str, value: Bytes, error: impl Into<Source>) -> Result<u64, Error> {
        match self.get(key).await {
            Ok(Some((present, revision))) if present == value => Ok(revision),
            _ => Err(self.write_error(key, error)),
        }
    }

    fn subject(&self, key: &str) -> Result<String, Error> {
        check(key)?;
        Ok(format!("$KV.{}.{key}", self.store.name))
    }

    fn conflict(&self, key: &str) -> Error {
        Error::Conflict { bucket: self.store.name.clone(), key: key.to_owned() }
    }

    fn read_error(&self, key: &str, source: impl Into<Source>) -> Error {
        Error::Read { bucket: self.store.name.clone(), key: key.to_owned(), source: source.into() }
    }

    fn write_error(&self, key: &str, source: impl Into<Source>) -> Error {
        Error::Write { bucket: self.store.name.clone(), key: key.to_owned(), source: source.into() }
    }
}

fn check(key: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-/_=.".contains(c);
    let whole = !key.is_empty() && key.chars().all(allowed) && key.split('.').all(|token| !token.is_empty());
    if whole { Ok(()) } else { Err(Error::Key(key.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked_before_they_become_subjects() {
        for key in ["a", "normalizer.3", "es.acme.device/7=_-"] {
            assert!(check(key).is_ok(), "{key}");
        }
        for key in ["", ".a", "a.", "a..b", "a b", "a.*", ">", "ä"] {
            assert!(matches!(check(key), Err(Error::Key(_))), "{key}");
        }
    }
}
