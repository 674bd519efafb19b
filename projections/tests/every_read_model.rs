//! A property of every read model in the registry: applying a message twice changes nothing. `replay` tests that a
//! rebuild equals the live read model.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;

use common::{World, sample, world};
use projections::registry::ALL;

async fn digests(world: &World) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in ALL {
        all.extend(
            world.digest(*entry).await.into_iter().map(|(label, text)| (format!("{} {label}", entry.name), text)),
        );
    }
    all
}

async fn sampled() -> (World, BTreeMap<String, String>) {
    let world = world().await;
    sample::store(&world).await;
    world.catch_up_all().await;
    let before = digests(&world).await;
    for (label, text) in &before {
        assert!(!text.starts_with("0 "), "the sample leaves {label} empty, so this test would show nothing");
    }
    (world, before)
}

#[tokio::test]
async fn messages_applied_twice_change_nothing() {
    let (world, before) = sampled().await;
    // Keeps the tables and reads again from the first message; the marks stay, as after a crash.
    world.sql("UPDATE projection_checkpoint SET position = 0, incarnation = NULL, hash = NULL").await;
    let store = world.store().await;
    let _: () = redis::cmd("DEL")
        .arg(format!("{}latest_telemetry:checkpoint", store.key_prefix))
        .query_async(&mut store.redis.clone())
        .await
        .unwrap();
    world.catch_up_all().await;
    assert_eq!(digests(&world).await, before);
    let moved = world.sql("SELECT count(*) FROM projection_checkpoint WHERE position > 0 AND name = 'audit_log'").await;
    assert_eq!(moved, ["3"]);
}

#[tokio::test]
async fn values_that_a_stage_publishes_again_change_nothing() {
    let (world, before) = sampled().await;
    sample::passing(&world).await;
    world.catch_up_all().await;
    assert_eq!(digests(&world).await, before);
}
