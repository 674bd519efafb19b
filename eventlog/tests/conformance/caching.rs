//! The cache and its feed: known aggregates load without the log, and a loaded state is never older than what the feed
//! has read.

use std::time::Duration;

use eventlog::Stream;
use eventlog::store::{CacheFeed, Error, RunningFeed, StoreSettings};
use tokio_util::sync::CancellationToken;

use crate::backend;
use crate::counter::{Counter, increments};
use crate::fixture::{Fixture, metadata, store, store_settings};
use crate::suite::StoreUnderTest;

const TIMEOUT: Duration = Duration::from_secs(20);

async fn feed(store: &Fixture) -> RunningFeed {
    CacheFeed::new(&store.log).serve(&store.store).start(CancellationToken::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_by_another_instance_reaches_the_cache() {
    let here = store().await;
    let feed = feed(&here).await;
    let elsewhere = here.elsewhere().await;
    for n in 1..=30_u64 {
        let name = format!("c{n}");
        let appended = elsewhere.commit("acme/1", &name, increments(&name, 1)).await;
        feed.reached(Stream::Es, appended.position, TIMEOUT).await.unwrap();
        let loaded = here.loaded("acme/1").await;
        assert_eq!((loaded.version, loaded.position), (n, appended.position));
        assert_eq!(loaded.state, Counter { value: n as i64, events: n });
        assert!(loaded.recent_command(&name).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interleaved_commits_of_two_instances_never_see_a_stale_state() {
    let here = store().await;
    let elsewhere = here.elsewhere().await;
    let (feed_here, feed_there) = (feed(&here).await, feed(&elsewhere).await);
    let mut last = 0;
    for n in 0..40_u64 {
        let (writer, running) = if n % 3 == 0 { (&here, &feed_here) } else { (&elsewhere, &feed_there) };
        running.reached(Stream::Es, last, TIMEOUT).await.unwrap();
        let name = format!("c{n}");
        // With the feed caught up, no load is stale, so no append conflicts.
        last = writer.commit("acme/1", &name, increments(&name, 1)).await.position;
    }
    let messages = here.store.messages("acme", "1").await.unwrap();
    assert!(eventlog::store::verify_chain(&messages).is_ok());
    assert_eq!(messages.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_state_is_served_without_the_log() {
    let (proxy, mut place) = backend::proxied(&backend::place().await).await;
    place.settings.request_timeout = Duration::from_millis(200);
    let here = Fixture::open(place, store_settings()).await;
    here.commit("acme/1", "a", increments("a", 1)).await;
    let running = feed(&here).await;
    here.loaded("acme/1").await;
    proxy.lose_answers();
    for _ in 0..100 {
        assert_eq!(here.loaded("acme/1").await.version, 1);
    }
    let unknown = here.store.load("acme", "2").await;
    assert!(matches!(unknown, Err(Error::Unavailable { .. })), "{unknown:?}");
    drop(running);
    let without_feed = here.store.load("acme", "1").await;
    assert!(matches!(without_feed, Err(Error::Unavailable { .. })), "{without_feed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_feed_nothing_is_cached() {
    let here = store().await;
    let elsewhere = here.elsewhere().await;
    for n in 1..=5 {
        assert_eq!(here.loaded("acme/1").await.version, n - 1);
        elsewhere.commit("acme/1", &format!("c{n}"), increments("x", 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_load_sees_commits_that_the_feed_has_not_delivered_yet() {
    let here = store().await;
    here.commit("acme/1", "a", increments("a", 1)).await;
    let running = feed(&here).await;
    let elsewhere = here.elsewhere().await;
    for n in 2..=20 {
        here.loaded("acme/1").await;
        let appended = elsewhere.commit("acme/1", &format!("c{n}"), increments("x", 1)).await;
        // Both calls read from the leader, so each is tried first in turn, before the other one updates the cache.
        if n % 2 == 0 {
            let fresh = here.store.load_fresh("acme", "1").await.unwrap();
            assert_eq!((fresh.version, fresh.position), (n, appended.position));
        }
        let found = here.store.find_command("acme", "1", &format!("c{n}")).await.unwrap();
        assert_eq!(found.map(|found| (found.position, found.repeated)), Some((appended.position, true)));
    }
    assert!(running.position(Stream::Es) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_updates_the_cache() {
    let here = store().await;
    let running = feed(&here).await;
    let elsewhere = here.elsewhere().await;
    let stale = here.loaded("acme/1").await;
    let won = elsewhere.commit("acme/1", "won", increments("won", 2)).await;
    let lost = here.store.append(stale, increments("lost", 1), metadata("lost")).await;
    assert!(lost.unwrap_err().is_conflict());
    let again = here.loaded("acme/1").await;
    assert_eq!(again.position, won.position);
    here.store.append(again, increments("lost", 1), metadata("lost")).await.unwrap();
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_more_aggregates_than_the_cache_holds_load_correctly() {
    let here = Fixture::open(backend::place().await, StoreSettings { cache_capacity: 4, ..store_settings() }).await;
    let _running = feed(&here).await;
    for round in 1..=2 {
        for n in 0..20 {
            let id = format!("acme/{n}");
            here.commit(&id, &format!("r{round}"), increments("x", 1)).await;
            assert_eq!(here.loaded(&id).await.version, round, "{id}");
        }
    }
}
