//! Tests of the cache without a log.

use std::sync::Arc;

use super::{Cache, REMEMBERED_MESSAGES};
use crate::store::head::Head;

fn head(position: u64) -> Arc<Head<()>> {
    Arc::new(Head { version: position, position, ..Head::default() })
}

fn position(cache: &Cache<()>, subject: &str) -> Option<u64> {
    cache.get(subject).map(|head| head.position)
}

fn live(capacity: usize) -> Cache<()> {
    let cache = Cache::new(capacity);
    cache.go_live();
    cache
}

#[test]
fn nothing_is_cached_before_a_feed_is_live_or_after_it_stopped() {
    let cache = Cache::new(10);
    cache.put(cache.ticket(), "a", head(1));
    assert_eq!(position(&cache, "a"), None);
    cache.go_live();
    cache.put(cache.ticket(), "a", head(1));
    assert_eq!(position(&cache, "a"), Some(1));
    cache.stop();
    assert_eq!(position(&cache, "a"), None);
}

#[test]
fn a_state_read_before_the_feed_went_live_is_not_cached() {
    let cache = Cache::new(10);
    let ticket = cache.ticket();
    cache.go_live();
    cache.put(ticket, "a", head(1));
    assert_eq!(position(&cache, "a"), None);
}

#[test]
fn a_newer_state_is_never_replaced_by_an_older_one() {
    let cache = live(10);
    let ticket = cache.ticket();
    cache.put(ticket, "a", head(2));
    cache.put(ticket, "a", head(1));
    assert_eq!(position(&cache, "a"), Some(2));
    cache.put(ticket, "a", head(3));
    assert_eq!(position(&cache, "a"), Some(3));
}

#[test]
fn a_state_older_than_an_observed_message_is_not_cached() {
    let cache = live(10);
    let ticket = cache.ticket();
    assert!(cache.observe("a", 5).is_none());
    cache.put(ticket, "a", head(4));
    assert_eq!(position(&cache, "a"), None);
    cache.put(ticket, "a", head(5));
    assert_eq!(position(&cache, "a"), Some(5));
}

#[test]
fn a_state_read_too_long_ago_is_not_cached() {
    let cache = live(10);
    let ticket = cache.ticket();
    cache.observe("a", 5);
    (0..REMEMBERED_MESSAGES as u64).for_each(|n| drop(cache.observe("b", 6 + n)));
    cache.put(ticket, "a", head(4));
    assert_eq!(position(&cache, "a"), None);
}

#[test]
fn observing_a_message_returns_only_an_older_state() {
    let cache = live(10);
    cache.put(cache.ticket(), "a", head(5));
    assert!(cache.observe("a", 5).is_none());
    assert_eq!(cache.observe("a", 6).map(|head| head.position), Some(5));
}

#[test]
fn the_capacity_is_respected_and_used_entries_stay() {
    let cache = live(8);
    cache.put(cache.ticket(), "kept", head(1));
    for n in 0..100 {
        cache.put(cache.ticket(), &format!("s{n}"), head(1));
        assert_eq!(position(&cache, "kept"), Some(1), "after {n}");
    }
    let inner = cache.lock();
    assert!(inner.young.len() + inner.old.len() <= 8);
}
