//! Snapshots of aggregates in a key-value bucket. They are only an optimisation: a snapshot that cannot be read, has
//! another fold version or does not match the log is ignored, and a failed write is retried with a later command.

use std::sync::Arc;

use bytes::Bytes;
use cqrs_es::Aggregate;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::digest::Digest;
use super::head::Head;
use super::key::AggregateKey;
use super::recent_commands::RecentCommands;
use super::settings::StoreSettings;
use crate::buckets::{self, Bucket, BucketName};
use crate::connection::Log;
use crate::error_chain::error_chain;

/// The stored form; `S` is the state, owned when reading and borrowed when writing.
#[derive(Serialize, Deserialize)]
struct Snapshot<S> {
    fold_version: u32,
    version: u64,
    stream_sequence: u64,
    hash_of_last_event: Digest,
    recent_commands: RecentCommands,
    state: S,
}

/// Reads and writes the snapshots of one aggregate type.
#[derive(Clone)]
pub(super) struct Snapshots {
    log: Log,
    fold_version: u32,
    every: u64,
    bucket: Arc<OnceCell<Bucket>>,
}

impl Snapshots {
    pub(super) fn new(log: &Log, settings: &StoreSettings) -> Self {
        Self {
            log: log.clone(),
            fold_version: settings.fold_version,
            every: settings.snapshot_every,
            bucket: Arc::default(),
        }
    }

    /// Reads an aggregate's snapshot if it has the current fold version. The caller checks whether it matches the log.
    pub(super) async fn read<A: Aggregate>(&self, key: &AggregateKey) -> Option<Head<A>> {
        if self.every == 0 {
            return None;
        }
        match self.fetch(key).await {
            Ok(stored) => self.decode(key, &stored?),
            Err(error) => {
                tracing::warn!(subject = key.subject(), error = error_chain(&error), "cannot read a snapshot");
                None
            }
        }
    }

    /// Writes a snapshot once enough events were stored since the last one; in the background, because the command is
    /// already stored and its answer need not wait.
    pub(super) fn write_if_due<A: Aggregate>(&self, key: &AggregateKey, head: &mut Head<A>) {
        if self.every == 0 || head.version < head.snapshot_version + self.every {
            return;
        }
        let snapshot = Snapshot {
            fold_version: self.fold_version,
            version: head.version,
            stream_sequence: head.position,
            hash_of_last_event: head.last_hash,
            recent_commands: head.recent.clone(),
            state: &head.state,
        };
        match serde_json::to_vec(&snapshot) {
            Ok(bytes) => {
                // Set even if the write fails later; the next attempt follows after another `every` events.
                head.snapshot_version = head.version;
                tokio::spawn(self.clone().put(key.clone(), bytes.into()));
            }
            Err(error) => {
                tracing::warn!(
                    subject = key.subject(),
                    error = error_chain(&error),
                    "cannot serialise a state as a snapshot"
                )
            }
        }
    }

    async fn put(self, key: AggregateKey, snapshot: Bytes) {
        let put = async { self.bucket().await?.put(key.tail(), snapshot).await };
        if let Err(error) = put.await {
            tracing::warn!(subject = key.subject(), error = error_chain(&error), "cannot write a snapshot");
        }
    }

    async fn fetch(&self, key: &AggregateKey) -> Result<Option<Bytes>, buckets::Error> {
        let stored = self.bucket().await?.get_from_any_replica(key.tail()).await?;
        Ok(stored.map(|(bytes, _)| bytes))
    }

    fn decode<A: Aggregate>(&self, key: &AggregateKey, stored: &[u8]) -> Option<Head<A>> {
        let decoded = serde_json::from_slice::<Snapshot<A>>(stored);
        match decoded {
            Ok(snapshot) if snapshot.fold_version == self.fold_version => Some(snapshot.into_head()),
            Ok(_) => None,
            Err(error) => {
                tracing::debug!(
                    subject = key.subject(),
                    error = error_chain(&error),
                    "ignoring a snapshot of another shape"
                );
                None
            }
        }
    }

    async fn bucket(&self) -> Result<&Bucket, buckets::Error> {
        self.bucket.get_or_try_init(|| self.log.bucket(BucketName::Snapshots)).await
    }
}

impl<A> Snapshot<A> {
    fn into_head(self) -> Head<A> {
        Head {
            state: self.state,
            version: self.version,
            position: self.stream_sequence,
            last_hash: self.hash_of_last_event,
            recent: self.recent_commands,
            snapshot_version: self.version,
        }
    }
}
