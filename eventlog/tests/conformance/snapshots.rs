//! Snapshots: loading from a snapshot equals loading from all events, and a snapshot that does not match is ignored.

use std::time::{Duration, Instant};

use eventlog::store::{AggregateStore, StoreSettings};
use eventlog::{Bucket, BucketName, Upcasters};
use serde_json::{Value, json};

use crate::counter::{Counter, increments};
use crate::fixture::{Fixture, metadata, store, store_settings};

fn every(events: u64) -> StoreSettings {
    StoreSettings { snapshot_every: events, ..store_settings() }
}

fn with(store: &Fixture, settings: StoreSettings) -> AggregateStore<Counter> {
    store.over(Upcasters::none(), settings)
}

async fn bucket(store: &Fixture) -> Bucket {
    store.log.bucket(BucketName::Snapshots).await.unwrap()
}

async fn snapshot(store: &Fixture) -> Option<Value> {
    let entry = bucket(store).await.get("acme.counter.1").await.unwrap();
    entry.map(|(bytes, _)| serde_json::from_slice(&bytes).unwrap())
}

/// Waits until the snapshot of this version is written, which happens in the background.
async fn written(store: &Fixture, version: u64) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match snapshot(store).await {
            Some(snapshot) if snapshot["version"] == version => return snapshot,
            other => assert!(Instant::now() < deadline, "no snapshot of version {version}: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Appends one event per command.
async fn count_to(store: &AggregateStore<Counter>, from: u64, to: u64) {
    for n in from..=to {
        let loaded = store.load("acme", "1").await.unwrap();
        store.append(loaded, increments(&format!("c{n}"), 1), metadata(&format!("c{n}"))).await.unwrap();
    }
}

#[tokio::test]
async fn a_load_from_a_snapshot_equals_a_load_from_all_events() {
    let store = store().await;
    let snapshotting = with(&store, every(2));
    for n in 1..=5 {
        count_to(&snapshotting, n, n).await;
        if n % 2 == 0 {
            written(&store, n).await;
        }
        let from_snapshot = with(&store, every(2)).load("acme", "1").await.unwrap();
        let from_events = with(&store, every(0)).load("acme", "1").await.unwrap();
        assert_eq!(from_snapshot.state, Counter { value: n as i64, events: n });
        assert_eq!(from_snapshot.state, from_events.state);
        assert_eq!(from_snapshot.version, from_events.version);
        assert_eq!((from_snapshot.position, from_snapshot.last_hash), (from_events.position, from_events.last_hash));
        assert!(from_snapshot.recent_command("c1").is_some());
    }
    assert_eq!(snapshot(&store).await.unwrap()["state"]["value"], 4);
}

#[tokio::test]
async fn a_matching_snapshot_is_used() {
    let store = store().await;
    count_to(&with(&store, every(3)), 1, 3).await;
    // A snapshot's state has no checksum of its own, so a changed state proves that the snapshot was used.
    let mut changed = written(&store, 3).await;
    changed["state"]["value"] = json!(1000);
    bucket(&store).await.put("acme.counter.1", changed.to_string().into()).await.unwrap();
    count_to(&with(&store, every(3)), 4, 4).await;
    assert_eq!(with(&store, every(3)).load("acme", "1").await.unwrap().state.value, 1001);
}

#[tokio::test]
async fn a_snapshot_that_does_not_match_is_ignored() {
    let store = store().await;
    count_to(&with(&store, every(3)), 1, 3).await;
    let good = written(&store, 3).await;
    count_to(&with(&store, every(3)), 4, 4).await;
    let changes: [(&str, Value); 6] = [
        ("fold_version", json!(2)),
        ("hash_of_last_event", json!("0".repeat(64))),
        ("hash_of_last_event", json!("not a hash")),
        ("stream_sequence", json!(2)),
        ("version", json!(2)),
        ("state", json!({"another": "shape"})),
    ];
    for (field, value) in changes {
        let mut bad = good.clone();
        bad["state"]["value"] = json!(1000);
        bad[field] = value.clone();
        bucket(&store).await.put("acme.counter.1", bad.to_string().into()).await.unwrap();
        let loaded = with(&store, every(3)).load("acme", "1").await.unwrap();
        assert_eq!((loaded.state, loaded.version), (Counter { value: 4, events: 4 }, 4), "{field} = {value}");
    }
    bucket(&store).await.put("acme.counter.1", "not json".into()).await.unwrap();
    assert_eq!(with(&store, every(3)).load("acme", "1").await.unwrap().version, 4);
}

#[tokio::test]
async fn a_store_with_a_new_fold_version_replaces_the_snapshot() {
    let store = store().await;
    count_to(&with(&store, every(3)), 1, 3).await;
    written(&store, 3).await;
    let newer = with(&store, StoreSettings { fold_version: 2, ..every(3) });
    count_to(&newer, 4, 4).await;
    assert_eq!(written(&store, 4).await["fold_version"], 2);
}

#[tokio::test]
async fn no_snapshot_is_written_when_snapshots_are_disabled() {
    let store = store().await;
    count_to(&with(&store, every(0)), 1, 5).await;
    assert_eq!(snapshot(&store).await, None);
}
