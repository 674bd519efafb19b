//! Several bridges share the load of one broker; one leaves or dies, and nothing is lost.

use std::time::Duration;

use tokio::time::sleep;

use crate::faults::delivered;
use crate::fleet::Fleet;
use crate::site::{Bridge, Site};

/// Opens a bridge that writes shards of its own.
fn open(site: &Site, instance: &str, first_shard: u16) -> Bridge {
    site.bridge_with(instance, |config| config.first_shard = first_shard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bridges_share_the_load_and_nothing_is_lost_when_one_leaves_and_another_dies() {
    let site = Site::new().await;
    let (a, b, c) = (open(&site, "a", 0), open(&site, "b", 2), open(&site, "c", 4));
    for instance in ["a", "b", "c"] {
        site.subscribed(instance, 2).await;
    }
    let fleet = Fleet::start(&site, 10, 1_000).await;
    sleep(Duration::from_secs(4)).await;
    a.close().await;
    sleep(Duration::from_secs(2)).await;
    b.crash();
    sleep(Duration::from_secs(2)).await;
    // The broker keeps a bridge's part for its session until it is back under its name.
    let (a, b) = (open(&site, "a", 0), open(&site, "b", 2));
    sleep(Duration::from_secs(3)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&site.world, &acknowledged).await;
    println!("acknowledged {}, repeated {}", acknowledged.len(), delivered.repeated);
    assert_eq!(delivered.missing(&acknowledged), []);
    assert_eq!(delivered.changed(), 0);
    assert!(acknowledged.len() > 5_000, "the load was only {} messages", acknowledged.len());
    for shards in [0..2, 2..4, 4..6] {
        let mut messages = 0;
        for shard in shards.clone() {
            let found = site.world.log.read_subject(eventlog::Stream::TelemetryRaw, &shard.to_string(), 1).await;
            messages += found.unwrap().len();
        }
        assert!(messages > 0, "nobody wrote shards {shards:?}");
    }
    for bridge in [a, b, c] {
        bridge.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bridges_that_write_the_same_shards_lose_and_double_nothing() {
    let site = Site::new().await;
    let bridges = [site.bridge("a"), site.bridge("b")];
    for instance in ["a", "b"] {
        site.subscribed(instance, 2).await;
    }
    let fleet = Fleet::start(&site, 10, 300).await;
    sleep(Duration::from_secs(4)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&site.world, &acknowledged).await;
    assert_eq!(delivered.missing(&acknowledged), []);
    assert_eq!(delivered.repeated, 0);
    for bridge in bridges {
        bridge.close().await;
    }
}
