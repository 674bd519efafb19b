//! Chooses the raw shards that an instance writes: those used by the fewest live instances. Sharing a shard is correct
//! but slower, because each writer has to detect the other's writes.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use eventlog::{Log, PARTITIONS, error_chain, members};
use tracing::warn;

/// Chooses `count` shards, once for the life of the process, so that a device's readings stay in one lane.
pub async fn choose(log: &Log, door: &str, count: u16) -> Vec<u16> {
    let taken: Vec<u16> = match members::list(log).await {
        Ok(entries) => {
            let others = entries.into_iter().filter(|(name, _)| name != door);
            others.flat_map(|(_, entry)| entry.shards).collect()
        }
        Err(error) => {
            // Sharing shards is correct, only slower: start without this knowledge.
            warn!(error = error_chain(&error), "failed to read the shards of other instances");
            Vec::new()
        }
    };
    least_taken(door, count, &taken)
}

/// Instances that start at the same time do not see each other, so each orders the free shards by its own hash.
fn least_taken(door: &str, count: u16, taken: &[u16]) -> Vec<u16> {
    let mut users: BTreeMap<u16, usize> = (0..PARTITIONS).map(|shard| (shard, 0)).collect();
    for shard in taken {
        users.entry(*shard).and_modify(|users| *users += 1);
    }
    let mut shards: Vec<u16> = (0..PARTITIONS).collect();
    shards.sort_by_key(|shard| (users[shard], Reverse(preference(door, *shard))));
    shards.truncate(usize::from(count.clamp(1, PARTITIONS)));
    shards.sort_unstable();
    shards
}

fn preference(door: &str, shard: u16) -> u64 {
    let mut hasher = DefaultHasher::new();
    (door, shard).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn instances_that_see_each_other_share_no_shard_while_there_are_enough() {
        let mut taken = Vec::new();
        for door in 0..8 {
            taken.extend(least_taken(&format!("door-{door}"), 2, &taken));
        }
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 16, "{taken:?}");
    }

    #[test]
    fn a_ninth_instance_shares_and_a_single_one_gets_as_many_as_configured() {
        let all: Vec<u16> = (0..PARTITIONS).collect();
        assert_eq!(least_taken("ninth", 2, &all).len(), 2);
        assert_eq!(least_taken("alone", 4, &[]).len(), 4);
        assert_eq!(least_taken("alone", 40, &[]), all);
        assert_eq!(least_taken("alone", 0, &[]).len(), 1);
    }

    #[test]
    fn two_instances_that_do_not_see_each_other_mostly_choose_different_shards() {
        let meet = |n: u32| {
            let (a, b) = (least_taken(&format!("a{n}"), 2, &[]), least_taken(&format!("b{n}"), 2, &[]));
            a.iter().any(|shard| b.contains(shard))
        };
        let met = (0..100).filter(|n| meet(*n)).count();
        assert!(met < 50, "{met} of 100 pairs share a shard");
    }
}
