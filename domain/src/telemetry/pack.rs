//! The binary encoding of packs: a version byte, followed by MessagePack with structs as arrays.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version byte of packs written now; readers reject unknown versions. Version 2 added flaws to asset readings, version
/// 3 the versions that a score was computed with, version 4 the doubts of asset readings.
const VERSION: u8 = 4;
/// Oldest version that is still read; fields added later have defaults.
const OLDEST: u8 = 1;

/// How far the version of a newer program may exceed this one's. Bytes with a higher first byte are not a pack.
const NEWER: u8 = 15;

/// The metric keys of a pack's readings. Readings with the same keys share a set, so that keys are stored once per
/// pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MetricSets(pub Vec<Vec<String>>);

impl MetricSets {
    /// Returns the keys of a set; empty for an index outside the pack.
    pub fn keys(&self, set: u32) -> &[String] {
        self.0.get(set as usize).map_or(&[], Vec::as_slice)
    }

    /// Finds or adds a set and returns its index.
    pub fn intern(&mut self, keys: &[String]) -> u32 {
        let known = self.0.iter().position(|set| set == keys);
        known.unwrap_or_else(|| {
            self.0.push(keys.to_vec());
            self.0.len() - 1
        }) as u32
    }
}

/// A pack cannot be decoded or encoded.
#[derive(Debug, thiserror::Error)]
pub enum NotAPack {
    /// The version byte is unsupported or missing.
    #[error("unsupported pack version {0:?}")]
    Version(Option<u8>),
    /// The content does not decode.
    #[error("cannot decode the pack")]
    Content(#[source] rmp_serde::decode::Error),
    /// The content does not encode.
    #[error("cannot encode the pack")]
    Encode(#[source] rmp_serde::encode::Error),
}

/// Encodes a pack.
pub fn encode_pack<T: Serialize>(pack: &T) -> Result<Vec<u8>, NotAPack> {
    let mut bytes = vec![VERSION];
    rmp_serde::encode::write(&mut bytes, pack).map_err(NotAPack::Encode)?;
    Ok(bytes)
}

/// Decodes a pack.
pub fn decode_pack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NotAPack> {
    match bytes.split_first() {
        Some((OLDEST..=VERSION, rest)) => rmp_serde::from_slice(rest).map_err(NotAPack::Content),
        other => Err(NotAPack::Version(other.map(|(version, _)| *version))),
    }
}

/// Returns the version if a newer program wrote the pack: retry until upgraded; never discard.
pub fn newer_version(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied().filter(|version| (VERSION + 1..=VERSION + NEWER).contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{AssetHealthChanged, AssetReading, Quality, ScoredBy};

    /// The fields of a health change in version 2, which lacked `scored_by`.
    type OldHealth<'a> = ((u64, u32), uuid::Uuid, uuid::Uuid, u8, Option<u8>, Option<&'a str>, i64);

    #[test]
    fn a_health_change_of_version_2_decodes_without_scored_by() {
        let id = uuid::Uuid::from_u128;
        let old: OldHealth<'_> = ((7, 1), id(1), id(2), 40, Some(50), Some("heat"), 1_000_000);
        let mut bytes = encode_pack(&old).unwrap();
        bytes[0] = 2;
        let read: AssetHealthChanged = decode_pack(&bytes).unwrap();
        assert_eq!((read.asset.0, read.score, read.cause.as_deref()), (id(2), 40, Some("heat")));
        assert_eq!((read.origin.sequence, read.scored_by), (7, None));
        let scored_by = Some(ScoredBy { formula: 1, model: 9 });
        let new = AssetHealthChanged { scored_by, ..read };
        assert_eq!(decode_pack::<AssetHealthChanged>(&encode_pack(&new).unwrap()).unwrap(), new);
    }

    /// The fields of an asset reading in version 3, which lacked `doubts`.
    type OldReading<'a> = (
        (u64, u32),
        uuid::Uuid,
        uuid::Uuid,
        Vec<uuid::Uuid>,
        i64,
        i64,
        u32,
        Vec<f64>,
        Vec<()>,
        Vec<(&'a str, &'a str)>,
    );

    #[test]
    fn an_asset_reading_of_version_3_decodes_without_doubts() {
        let id = uuid::Uuid::from_u128;
        let flaws = vec![("power", "too old")];
        let old: OldReading<'_> =
            ((7, 1), id(1), id(2), vec![id(3)], 1_000_000, 2_000_000, 0, vec![1.5], vec![], flaws);
        let mut bytes = encode_pack(&old).unwrap();
        bytes[0] = 3;
        let read: AssetReading = decode_pack(&bytes).unwrap();
        assert_eq!(
            (read.asset.0, &read.numbers[..], read.qualities()),
            (id(2), &[1.5][..], vec![("power".into(), Quality::Bad)])
        );
        let new = AssetReading { doubts: vec![("heat".into(), Quality::Uncertain)], ..read };
        assert_eq!(decode_pack::<AssetReading>(&encode_pack(&new).unwrap()).unwrap(), new);
    }

    #[test]
    fn a_pack_of_a_newer_program_is_recognised() {
        assert_eq!(newer_version(&[VERSION + 1, 0x90]), Some(VERSION + 1));
        for none in [&encode_pack(&0).unwrap()[..], b"[]", b"{", b"", &[0]] {
            assert_eq!(newer_version(none), None, "{none:?}");
        }
    }
}
