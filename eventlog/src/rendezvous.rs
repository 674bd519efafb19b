//! Assigns partitions to members by rendezvous hashing, a pure function of the members. Every process computes the same
//! assignment, and when a member leaves only its partitions move.

use std::collections::BTreeSet;

use aws_lc_rs::digest;

use crate::streams::PARTITIONS;

/// Returns the partitions of one kind of work that `member` owns among `members`.
pub(crate) fn owned(member: &str, members: &BTreeSet<String>, kind: &str) -> BTreeSet<u16> {
    (0..PARTITIONS).filter(|partition| owner(members, kind, *partition) == Some(member)).collect()
}

/// Returns the member with the highest score; ties, practically impossible with 64 bits, go to the greater name.
fn owner<'a>(members: &'a BTreeSet<String>, kind: &str, partition: u16) -> Option<&'a str> {
    members.iter().max_by_key(|member| (score(member, kind, partition), *member)).map(String::as_str)
}

/// Returns the first 8 bytes of SHA-256 over the length-prefixed member, kind and partition. It must never change: if
/// processes of two versions disagreed, a partition could be left without an owner.
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
    fn only_the_partitions_of_a_leaving_member_move() {
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
    fn a_process_that_is_not_a_member_owns_nothing() {
        assert!(owned("x", &members(&["a"]), "k").is_empty());
    }
}
