//! Who owns which partition: rendezvous hashing, a pure function of the members. Every process computes the same
//! answer, and when one leaves only its partitions move.

use std::collections::BTreeSet;

use aws_lc_rs::digest;

use crate::streams::PARTITIONS;

/// Returns the partitions of one kind of work that `member` owns among `members`.
pub(crate) fn owned(member: &str, members: &BTreeSet<String>, kind: &str) -> BTreeSet<u16> {
    (0..PARTITIONS).filter(|partition| owner(members, kind, *partition) == Some(member)).collect()
}

/// Returns the member with the highest score; equal scores, which 64 bits do not give, go to the greater name.
fn owner<'a>(members: &'a BTreeSet<String>, kind: &str, partition: u16) -> Option<&'a str> {
    members.iter().max_by_key(|member| (score(member, kind, partition), *member)).map(String::as_str)
}

/// The first 8 bytes of SHA-256 over the length-prefixed member, kind and partition. It must never change: processes
/// of two versions that disagree would leave a partition to nobody.
fn score(member: &str, kind: &str, partition: u16) -> u64 {
    let mut hashed = digest::Context::new(&digest::SHA256);
    for part in [member.as_bytes(), kind.as_bytes(), &partition.to_be_bytes()] {
        hashed.update(&(part.len() as u64).to_be_bytes());
        hashed.update(part);
    }
    let digest = hashed.finish();
    digest.as_ref().iter().take(8).fold(0, |score, byte| (score << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_partition_has_exactly_one_owner() {
        let all = members(&["a", "b", "c"]);
        let mut seen: Vec<u16> = all.iter().flat_map(|member| owned(member, &all, "normalizer")).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..PARTITIONS).collect::<Vec<_>>());
    }

    #[test]
    fn only_the_partitions_of_the_one_that_left_move() {
        let (three, two) = (members(&["a", "b", "c"]), members(&["a", "b"]));
        for member in ["a", "b"] {
            assert!(owned(member, &three, "k").is_subset(&owned(member, &two, "k")), "{member}");
        }
    }

    #[test]
    fn the_scores_never_change() {
        assert_eq!(score("process-1", "normalizer", 3), 15_979_957_985_169_474_523);
    }

    #[test]
    fn nobody_owns_anything_among_others() {
        assert!(owned("x", &members(&["a"]), "k").is_empty());
    }
}
