//! Snapshots of units in the key-value bucket for stage state. Writes compare and set: a process that holds an older
//! revision has been replaced and must stop. A state too large for one value is stored in parts.

use std::collections::BTreeMap;

use bytes::Bytes;
use eventlog::position::fingerprint;
use eventlog::{Bucket, Positions, Stream, buckets};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::high_water_marks::HighWaterMarks;
use super::unit_state::UnitState;
use crate::metric_names;

/// Largest part in bytes; well below the server's limit of 1 MiB per value.
const PART_BYTES: usize = 512 << 10;

/// Why a snapshot could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process wrote the snapshot, so this one is no longer the owner.
    #[error("the snapshot {0} was written by another owner")]
    Fenced(String),
    /// The snapshot has another version than this program reads.
    #[error("the snapshot {key} has version {found}, but this program reads version {known}")]
    Version {
        /// The key of the snapshot.
        key: String,
        /// The version of the snapshot.
        found: u32,
        /// The version that this program reads.
        known: u32,
    },
    /// The snapshot is incomplete or cannot be decoded.
    #[error("the snapshot {key} is damaged: {detail}")]
    Damaged {
        /// The key of the snapshot.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The state could not be encoded.
    #[error("cannot encode the state")]
    Encode(#[source] rmp_serde::encode::Error),
    /// A request to the bucket failed.
    #[error("the bucket for stage state failed")]
    Bucket(#[source] buckets::Error),
}

impl Error {
    /// Whether retrying cannot help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Version { .. } | Self::Damaged { .. })
    }
}

/// The value stored under a unit's key.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    writer: String,
    generation: u64,
    positions: Positions,
    marks: HighWaterMarks,
    es_positions: BTreeMap<Stream, u64>,
    /// How many parts hold the state; 0 where `state` holds it.
    parts: u32,
    digest: String,
    state: Bytes,
}

/// The revision that a snapshot was read or written as; the next write must follow it.
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
    /// Opens the snapshots of a stage for the writer with this name.
    pub fn new(bucket: Bucket, stage: &'static str, version: u32, writer: &str) -> Self {
        Self { bucket, stage, version, writer: writer.to_owned() }
    }

    /// Reads the state of a unit; an empty state where there is no snapshot.
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
            return Err(damaged("its parts do not match its digest".to_owned()));
        }
        let state = rmp_serde::from_slice(&state).map_err(|error| damaged(error.to_string()))?;
        let Head { positions, marks, es_positions, generation, .. } = head;
        Ok((UnitState { positions, marks, state, es_positions }, Revision { revision: Some(revision), generation }))
    }

    /// Writes the state of a unit over the revision that it was read or last written as.
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
            // Nothing was there when the unit was read; a value now means that another process has written it.
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
                held.ok_or_else(|| Error::Damaged { key: key.to_owned(), detail: format!("part {part} is missing") })?;
            state.extend_from_slice(&bytes);
        }
        Ok(state)
    }

    fn key(&self, unit: u16) -> String {
        format!("{}.{unit}", self.stage)
    }
}

/// Returns the key of a part. Two generations alternate, so a write that fails half-way leaves the previous one intact.
fn part_key(key: &str, generation: u64, part: u32) -> String {
    format!("{key}.{}.{part}", generation % 2)
}
