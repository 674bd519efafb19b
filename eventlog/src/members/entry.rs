//! A member's entry: its content, and how a process acquires exclusive use of its name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tracing::info;

use super::Error;
use crate::buckets::{self, Bucket, BucketName};
use crate::connection::Log;
use crate::direct_get;

/// How often an entry held by another process is checked.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// How long to wait for a name: a dead process's entry expires after 8 s, and electing a bucket leader takes up to 7 s.
const CLAIM_DEADLINE: Duration = Duration::from_secs(20);

/// A joining process: its name, and a random id that distinguishes it from others of that name.
#[derive(Clone, Debug)]
pub struct Member {
    pub(super) name: String,
    pub(super) process: String,
    pub(super) version: String,
    pub(super) shards: BTreeSet<u16>,
}

impl Member {
    /// Returns this process under a name of the characters `A-Z a-z 0-9 - _`.
    pub fn new(name: impl Into<String>) -> Self {
        let process = format!("{:016x}", rand::random::<u64>());
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { name: name.into(), process, version, shards: BTreeSet::new() }
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns this member with the shards it has chosen to write, so that others choose different ones.
    #[must_use]
    pub fn with_shards(mut self, shards: impl IntoIterator<Item = u16>) -> Self {
        self.shards = shards.into_iter().collect();
        self
    }
}

impl From<&str> for Member {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Member {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// A live process's entry. Fields that an older version did not write are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The kinds of work it does.
    pub kinds: BTreeSet<String>,
    /// A random id, different for every start of the process.
    #[serde(default)]
    pub process: String,
    /// The version of the program.
    #[serde(default)]
    pub version: String,
    /// The shards it writes, for kinds of work that have shards.
    #[serde(default, rename = "places")]
    pub shards: BTreeSet<u16>,
}

/// Returns the entries of all live processes by name.
pub async fn list(log: &Log) -> Result<BTreeMap<String, Entry>, direct_get::Error> {
    let name = log.settings().bucket_name(BucketName::Members);
    let root = format!("$KV.{name}.");
    let found = log.last_of_each(&format!("KV_{name}"), &[format!("{root}*")]).await?;
    // Skip unreadable values: the deletion marker of a member that left, or an entry of a newer version.
    let entries = found.into_iter().filter_map(|got| {
        let entry = serde_json::from_slice(&got.payload).ok()?;
        Some((got.subject.strip_prefix(&root)?.to_owned(), entry))
    });
    Ok(entries.collect())
}

/// This process's entry, defended against other processes of the same name.
pub(super) struct OwnEntry {
    bucket: Bucket,
    pub(super) name: String,
    entry: Entry,
    revision: Option<u64>,
}

/// The current holder of a name.
enum Holder {
    Nobody,
    Us(u64),
    Other(u64),
}

impl OwnEntry {
    pub(super) fn new(bucket: Bucket, member: Member, kinds: BTreeSet<String>) -> Self {
        let Member { name, process, version, shards } = member;
        Self { bucket, name, entry: Entry { kinds, process, version, shards }, revision: None }
    }

    pub(super) fn process(&self) -> &str {
        &self.entry.process
    }

    /// Waits until no other process holds the name. An entry that is not renewed is left to expire; one that is
    /// renewed, or does not disappear, yields [`Error::NameTaken`]. Bucket errors are retried: its leader may be gone
    /// and the next one not yet elected.
    pub(super) async fn claim(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + CLAIM_DEADLINE;
        let mut seen = None;
        loop {
            let holder = match self.renew().await {
                Err(Error::NameTaken(_)) => self.holder().await,
                Err(error) => Err(error),
                Ok(()) => return Ok(()),
            };
            let revision = match holder {
                Ok(Holder::Other(revision)) => revision,
                Ok(_) => continue,
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => {
                    sleep(RETRY_INTERVAL).await;
                    continue;
                }
            };
            if seen.is_none() {
                info!(member = self.name, "another process holds this name; waiting for its entry to expire");
            }
            // A changed revision means that the entry was renewed: its process is alive.
            if seen.is_some_and(|seen| seen != revision) || Instant::now() > deadline {
                return Err(Error::NameTaken(self.name.clone()));
            }
            seen = Some(revision);
            sleep(RETRY_INTERVAL).await;
        }
    }

    /// Renews the entry, unless another process holds the name: [`Error::NameTaken`].
    pub(super) async fn renew(&mut self) -> Result<(), Error> {
        let value = Bytes::from(serde_json::to_vec(&self.entry).unwrap_or_default());
        let written = match self.revision {
            Some(revision) => self.bucket.update(&self.name, value.clone(), revision).await,
            None => self.bucket.create(&self.name, value.clone()).await,
        };
        let revision = match written {
            Ok(revision) => revision,
            // The entry expired, a renewal succeeded but its reply was lost, or another process holds the name.
            Err(buckets::Error::Conflict { .. }) => match self.holder().await? {
                Holder::Nobody => self.bucket.create(&self.name, value).await.map_err(|error| self.refused(error))?,
                Holder::Us(revision) => {
                    self.bucket.update(&self.name, value, revision).await.map_err(|error| self.refused(error))?
                }
                Holder::Other(_) => {
                    self.revision = None;
                    return Err(Error::NameTaken(self.name.clone()));
                }
            },
            Err(error) => return Err(error.into()),
        };
        self.revision = Some(revision);
        Ok(())
    }

    /// Deletes the entry if this process holds it.
    pub(super) async fn withdraw(&self) -> Result<(), Error> {
        match self.holder().await? {
            Holder::Us(_) => Ok(self.bucket.delete(&self.name).await?),
            Holder::Nobody | Holder::Other(_) => Ok(()),
        }
    }

    async fn holder(&self) -> Result<Holder, Error> {
        let Some((value, revision)) = self.bucket.get(&self.name).await? else { return Ok(Holder::Nobody) };
        let entry: Entry = serde_json::from_slice(&value).unwrap_or_default();
        Ok(if entry.process == self.entry.process { Holder::Us(revision) } else { Holder::Other(revision) })
    }

    fn refused(&self, error: buckets::Error) -> Error {
        match error {
            buckets::Error::Conflict { .. } => Error::NameTaken(self.name.clone()),
            error => error.into(),
        }
    }
}
