//! Several bridges share the load of one broker; nothing is lost when one leaves or dies.

use std::time::Duration;

use tokio::time::sleep;

use crate::faults::delivered;
use crate::fleet::Fleet;
use crate::test_broker::{Bridge, BrokeredPlatform};

/// Opens a bridge and waits until it is subscribed. Bridges opened one after another take different raw shards.
async fn open(brokered: &BrokeredPlatform, instance: &str) -> Bridge {
    let bridge = brokered.bridge(instance);
    brokered.wait_for_subscriptions(instance, 2).await;
    bridge
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bridges_share_the_load_and_nothing_is_lost_when_one_leaves_and_another_dies() {
    let brokered = BrokeredPlatform::new().await;
    let (a, b, c) = (open(&brokered, "a").await, open(&brokered, "b").await, open(&brokered, "c").await);
    let fleet = Fleet::start(&brokered, 10, 1_000).await;
    sleep(Duration::from_secs(4)).await;
    a.close().await;
    sleep(Duration::from_secs(2)).await;
    b.crash();
    sleep(Duration::from_secs(2)).await;
    // The broker keeps a bridge's share of the messages until it reconnects under its name.
    let (a, b) = (brokered.bridge("a"), brokered.bridge("b"));
    sleep(Duration::from_secs(3)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&brokered.platform, &acknowledged).await;
    println!("acknowledged {}, repeated {}", acknowledged.len(), delivered.repeated);
    assert_eq!(delivered.missing(&acknowledged), []);
    assert_eq!(delivered.changed(), 0);
    assert!(acknowledged.len() > 5_000, "the load was only {} messages", acknowledged.len());
    let mut written = 0;
    for shard in 0..eventlog::PARTITIONS {
        let found = brokered.platform.log.read_subject(eventlog::Stream::TelemetryRaw, &shard.to_string(), 1).await;
        written += usize::from(!found.unwrap().is_empty());
    }
    assert!(written >= 6, "three bridges of two shards each wrote {written} shards only");
    for bridge in [a, b, c] {
        bridge.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bridges_that_write_the_same_shards_lose_and_duplicate_nothing() {
    let brokered = BrokeredPlatform::new().await;
    let all = |config: &mut ingest::Config| config.shards = eventlog::PARTITIONS;
    let bridges = [brokered.bridge_with("a", all), brokered.bridge_with("b", all)];
    for instance in ["a", "b"] {
        brokered.wait_for_subscriptions(instance, 2).await;
    }
    let fleet = Fleet::start(&brokered, 10, 300).await;
    sleep(Duration::from_secs(4)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&brokered.platform, &acknowledged).await;
    assert_eq!(delivered.missing(&acknowledged), []);
    assert_eq!(delivered.repeated, 0);
    for bridge in bridges {
        bridge.close().await;
    }
}
