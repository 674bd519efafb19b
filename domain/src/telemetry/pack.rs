//! The binary form of packs: MessagePack, structs as arrays, one version byte in front.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version byte in front of every pack; a reader refuses what it does not know. 2 added flaws to asset readings,
/// 3 what computed a score.
const VERSION: u8 = 3;
/// The oldest version that is read: what was added since has a default.
const OLDEST: u8 = 1;

/// How far a newer program's version may be above this one's; beyond that the bytes are no pack at all.
const NEWER: u8 = 15;

/// Metric keys by set; readings of one shape share a set, so that keys are written once per pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MetricSets(pub Vec<Vec<String>>);

impl MetricSets {
    /// Answers the keys of a set; none for an index outside the pack.
    pub fn keys(&self, set: u32) -> &[String] {
        self.0.get(set as usize).map_or(&[], Vec::as_slice)
    }

    /// Finds or adds a set and answers its index.
    pub fn intern(&mut self, keys: &[String]) -> u32 {
        let known = self.0.iter().position(|set| set == keys);
        known.unwrap_or_else(|| {
            self.0.push(keys.to_vec());
            self.0.len() - 1
        }) as u32
    }
}

/// The bytes are no pack of the expected kind and version.
#[derive(Debug, thiserror::Error)]
pub enum NotAPack {
    /// Another version, or no bytes at all.
    #[error("pack version {0:?} is not known here")]
    Version(Option<u8>),
    /// Not readable.
    #[error("unreadable pack")]
    Content(#[source] rmp_serde::decode::Error),
    /// Not writable.
    #[error("unwritable pack")]
    Encode(#[source] rmp_serde::encode::Error),
}

/// Writes a pack.
pub fn encode_pack<T: Serialize>(pack: &T) -> Result<Vec<u8>, NotAPack> {
    let mut bytes = vec![VERSION];
    rmp_serde::encode::write(&mut bytes, pack).map_err(NotAPack::Encode)?;
    Ok(bytes)
}

/// Reads a pack.
pub fn decode_pack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NotAPack> {
    match bytes.split_first() {
        Some((OLDEST..=VERSION, rest)) => rmp_serde::from_slice(rest).map_err(NotAPack::Content),
        other => Err(NotAPack::Version(other.map(|(version, _)| *version))),
    }
}

/// Answers the version of a pack that a newer program wrote: it is to be waited with, not thrown away.
pub fn newer_version(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied().filter(|version| (VERSION + 1..=VERSION + NEWER).contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{AssetHealthChanged, ScoredBy};

    /// A change of health as it was before it said what computed it, field by field.
    type OldHealth<'a> = ((u64, u32), uuid::Uuid, uuid::Uuid, u8, Option<u8>, Option<&'a str>, i64);

    #[test]
    fn a_change_of_health_of_an_older_program_is_read_without_what_computed_it() {
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

    #[test]
    fn a_pack_of_a_newer_program_is_told_from_one_of_this_and_from_no_pack() {
        assert_eq!(newer_version(&[VERSION + 1, 0x90]), Some(VERSION + 1));
        for none in [&encode_pack(&0).unwrap()[..], b"[]", b"{", b"", &[0]] {
            assert_eq!(newer_version(none), None, "{none:?}");
        }
    }
}
