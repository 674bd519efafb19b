//! Snapshots of units in the key-value bucket of the stages, with compare-and-set: whoever holds an older revision has
//! been replaced and must stop. A state too large for one value is stored in parts.

use std::collections::BTreeMap;

use bytes::Bytes;
use eventlog::position::fingerprint;
use eventlog::{Bucket, Positions, Stream, buckets};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{HighWaterMarks, UnitState};
use crate::metric_names;

/// Largest part, bytes: far enough below the server's limit of 1 MiB for one value.
const PART_BYTES: usize = 512 << 10;

/// Why a snapshot could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else wrote it: this process is no longer the owner.
    #[error("the snapshot {0} was written by another owner")]
    Fenced(String),
    /// It is of another version of the state.
    #[error("the snapshot {key} has version {found}, this program knows {known}")]
    Version {
        /// Its key.
        key: String,
        /// Its version.
        found: u32,
        /// The version of this program.
        known: u32,
    },
    /// It is not whole, or not readable.
    #[error("the snapshot {key} is damaged: {detail}")]
    Damaged {
        /// Its key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// The state could not be written down.
    #[error("the state is not writable")]
    Encode(#[source] rmp_serde::encode::Error),
    /// The bucket did not answer as it should.
    #[error("the bucket of the stages does not answer")]
    Bucket(#[source] buckets::Error),
}

impl Error {
    /// Tells whether trying again cannot help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Version { .. } | Self::Damaged { .. })
    }
}

/// What stands under a unit's key.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    writer: String,
    generation: u64,
    positions: Positions,
    marks: HighWaterMarks,
    es_positions: BTreeMap<Stream, u64>,
    /// How many parts hold the state; none where it stands in `state`.
    parts: u32,
    digest: String,
    state: Bytes,
}

/// What a snapshot was read or written as: the next write must follow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    revision: Option<u64>,
    generation: u64,
}

/// The snapshots of one stage.
#[derive(Clone)]
pub struct Snapshots {
    bucket: Bucket,
    stage: &'static str,
    version: u32,
    writer: String,
}

impl Snapshots {
    /// Opens the snapshots of a stage for a writer of this name.
    pub fn new(bucket: Bucket, stage: &'static str, version: u32, writer: &str) -> Self {
        Self { bucket, stage, version, writer: writer.to_owned() }
    }

    /// Reads a unit; an empty one where there is no snapshot.
    pub async fn read<S: Default + DeserializeOwned>(&self, unit: u16) -> Result<(UnitState<S>, Revision), Error> {
        let key = self.key(unit);
        let Some((value, revision)) = self.bucket.get(&key).await.map_err(Error::Bucket)? else {
            return Ok((UnitState::default(), Revision::default()));
        };
        let damaged = |detail: String| Error::Damaged { key: key.clone(), detail };
        let head: Head = rmp_serde::from_slice(&value).map_err(|error| damaged(error.to_string()))?;
        if head.version != self.version {
            return Err(Error::Version { key, found: head.version, known: self.version });
        }
        let state = self.read_parts(&key, &head).await?;
        if fingerprint(&state) != head.digest {
            return Err(damaged("its parts do not belong together".to_owned()));
        }
        let state = rmp_serde::from_slice(&state).map_err(|error| damaged(error.to_string()))?;
        let Head { positions, marks, es_positions, generation, .. } = head;
        Ok((UnitState { positions, marks, state, es_positions }, Revision { revision: Some(revision), generation }))
    }

    /// Writes a unit over the revision it was read as or last written as.
    pub async fn write<S: Serialize>(
        &self,
        unit: u16,
        unit_state: &UnitState<S>,
        over: Revision,
    ) -> Result<Revision, Error> {
        let key = self.key(unit);
        let generation = over.generation + 1;
        let state = rmp_serde::to_vec(&unit_state.state).map_err(Error::Encode)?;
        metrics::histogram!(metric_names::SNAPSHOT_BYTES, "stage" => self.stage).record(state.len() as f64);
        let digest = fingerprint(&state);
        let parts = if state.len() > PART_BYTES { self.write_parts(&key, generation, &state).await? } else { 0 };
        let head = Head {
            version: self.version,
            writer: self.writer.clone(),
            generation,
            positions: unit_state.positions.clone(),
            marks: unit_state.marks.clone(),
            es_positions: unit_state.es_positions.clone(),
            parts,
            digest,
            state: if parts == 0 { state.into() } else { Bytes::new() },
        };
        let value = Bytes::from(rmp_serde::to_vec_named(&head).map_err(Error::Encode)?);
        let written = match over.revision {
            Some(revision) => self.bucket.update(&key, value, revision).await,
            None => self.bucket.create(&key, value).await,
        };
        match written {
            Ok(revision) => Ok(Revision { revision: Some(revision), generation }),
            Err(buckets::Error::Conflict { .. }) => Err(Error::Fenced(key)),
            Err(error) => Err(Error::Bucket(error)),
        }
    }

    async fn write_parts(&self, key: &str, generation: u64, state: &[u8]) -> Result<u32, Error> {
        let mut parts = 0;
        for part in state.chunks(PART_BYTES) {
            let key = part_key(key, generation, parts);
            self.bucket.put(&key, Bytes::copy_from_slice(part)).await.map_err(Error::Bucket)?;
            parts += 1;
        }
        Ok(parts)
    }

    async fn read_parts(&self, key: &str, head: &Head) -> Result<Vec<u8>, Error> {
        let mut state = head.state.to_vec();
        for part in 0..head.parts {
            let part = part_key(key, head.generation, part);
            let held = self.bucket.get(&part).await.map_err(Error::Bucket)?;
            let (bytes, _) =
                held.ok_or_else(|| Error::Damaged { key: key.to_owned(), detail: format!("{part} is gone") })?;
            state.extend_from_slice(&bytes);
        }
        Ok(state)
    }

    fn key(&self, unit: u16) -> String {
        format!("{}.{unit}", self.stage)
    }
}

/// Parts of two generations take turns, so that a write that fails half-way leaves the former whole.
fn part_key(key: &str, generation: u64, part: u32) -> String {
    format!("{key}.{}.{part}", generation % 2)
}
