//! Deduplicates the metric sets of readings while a pack is built. The encoded form is `pack::MetricSets`.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::MetricSets;

/// Metric sets under construction. Consecutive readings mostly share a set; others are looked up by hash.
#[derive(Debug, Default)]
pub struct SetInterner {
    sets: MetricSets,
    by_hash: HashMap<u64, Vec<u32>>,
    last: u32,
    bytes: usize,
}

impl SetInterner {
    /// Finds or adds the set with these keys in this order and returns its index.
    pub fn intern<K: AsRef<str>>(&mut self, keys: &[K]) -> u32 {
        // Fast path: no hashing while consecutive readings have the same keys.
        if !self.is(self.last, keys) {
            self.last = self.find_or_add(keys);
        }
        self.last
    }

    /// Returns the approximate size of the sets in a pack, bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the sets out and starts a new pack.
    pub fn take(&mut self) -> MetricSets {
        self.bytes = 0;
        self.by_hash.clear();
        self.last = 0;
        std::mem::take(&mut self.sets)
    }

    fn is<K: AsRef<str>>(&self, set: u32, keys: &[K]) -> bool {
        let held = self.sets.0.get(set as usize);
        held.is_some_and(|held| held.len() == keys.len() && held.iter().zip(keys).all(|(a, b)| a == b.as_ref()))
    }

    fn find_or_add<K: AsRef<str>>(&mut self, keys: &[K]) -> u32 {
        let mut hasher = DefaultHasher::new();
        keys.iter().for_each(|key| key.as_ref().hash(&mut hasher));
        let hash = hasher.finish();
        let known = self.by_hash.get(&hash).and_then(|sets| sets.iter().copied().find(|set| self.is(*set, keys)));
        known.unwrap_or_else(|| {
            let set = self.sets.0.len() as u32;
            // MessagePack adds at most 2 bytes per key (of up to 255 bytes) and 3 per set.
            self.bytes += keys.iter().map(|key| key.as_ref().len() + 2).sum::<usize>() + 3;
            self.sets.0.push(keys.iter().map(|key| key.as_ref().to_owned()).collect());
            self.by_hash.entry(hash).or_default().push(set);
            set
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_readings_with_equal_keys_share_a_set() {
        let mut sets = SetInterner::default();
        let indexes = [&["a", "b"][..], &["a"], &["a", "b"], &["b", "a"], &[], &["a"]].map(|keys| sets.intern(keys));
        assert_eq!(indexes, [0, 1, 0, 2, 3, 1]);
        assert_eq!(sets.take().keys(2), ["b", "a"]);
        assert_eq!(sets.intern(&["b", "a"]), 0);
    }
}
