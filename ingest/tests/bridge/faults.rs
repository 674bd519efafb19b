//! Bridge, log and broker killed under load: everything the broker acknowledged and kept is delivered, and repeated
//! messages are identical.

use std::time::{Duration, Instant};

use eventlog::Stream;
use stack::Server;
use stack::testing::TestStack;
use tokio::time::sleep;

use crate::fleet::{Acknowledged, Delivered, Fleet};
use crate::test_broker::BrokeredPlatform;
use crate::test_platform::TestPlatform;

/// Messages a second, all devices together.
const RATE: u32 = 2_000;
const DEVICES: u32 = 20;
/// How long the broker may take to write its state to disk, beyond its save interval of one second.
const MAX_WRITE_DELAY: Duration = Duration::from_secs(8);

/// How long devices take to reconnect after a broker's restart; what is acknowledged meanwhile may be lost within the
/// broker's limits as well.
const RECONNECT_TIME: Duration = Duration::from_secs(3);

/// Waits until the raw stream holds everything acknowledged, or has not grown for ten seconds.
pub async fn delivered(platform: &TestPlatform, acknowledged: &Acknowledged) -> Delivered {
    let (mut grown_at, mut messages) = (Instant::now(), 0);
    loop {
        let state = platform.log.state(Stream::TelemetryRaw).await.unwrap();
        if state.messages != messages {
            (grown_at, messages) = (Instant::now(), state.messages);
        } else if grown_at.elapsed() > Duration::from_secs(1) {
            let delivered = Delivered::of(platform.raw().await);
            if delivered.missing(acknowledged).is_empty() || grown_at.elapsed() > Duration::from_secs(10) {
                return delivered;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_bridge_and_log_are_killed_under_load() {
    let mut nats = TestStack::start(|options| options.only(Server::Nats)).await.unwrap();
    let brokered = BrokeredPlatform::of(TestPlatform::on(&nats.urls().nats.clone(), "faults").await).await;
    let bridge = brokered.bridge("main");
    brokered.wait_for_subscriptions("main", 2).await;
    let fleet = Fleet::start(&brokered, DEVICES, RATE).await;
    sleep(Duration::from_secs(6)).await;
    bridge.crash();
    sleep(Duration::from_secs(2)).await;
    let bridge = brokered.bridge("main");
    sleep(Duration::from_secs(5)).await;
    nats.kill(Server::Nats).await.unwrap();
    sleep(Duration::from_secs(3)).await;
    nats.restart(Server::Nats).await.unwrap();
    sleep(Duration::from_secs(6)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&brokered.platform, &acknowledged).await;
    println!("acknowledged {}, stored {}, repeated {}", acknowledged.len(), delivered.len(), delivered.repeated);
    assert!(acknowledged.len() > 20_000, "the load was only {} messages", acknowledged.len());
    assert_eq!(delivered.missing(&acknowledged), []);
    assert_eq!(delivered.changed(), 0);
    // After each fault unacknowledged messages are delivered again: at most what two connections may have in flight.
    assert!(delivered.repeated <= 4_000, "{} messages were delivered again", delivered.repeated);
    bridge.close().await;
    nats.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_only_what_it_had_not_written() {
    let mut brokered = BrokeredPlatform::new().await;
    let bridge = brokered.bridge("main");
    brokered.wait_for_subscriptions("main", 2).await;
    let fleet = Fleet::start(&brokered, DEVICES, RATE).await;
    sleep(Duration::from_secs(4)).await;
    // From here on only the broker holds what it acknowledges.
    bridge.crash();
    sleep(MAX_WRITE_DELAY + Duration::from_secs(4)).await;
    let killed_at = Instant::now();
    brokered.broker.kill(Server::Mosquitto).await.unwrap();
    brokered.broker.restart(Server::Mosquitto).await.unwrap();
    // Until here, acknowledgements of the killed broker may still be in the devices' sockets.
    let restarted_at = Instant::now();
    let bridge = brokered.bridge("main");
    sleep(Duration::from_secs(6)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&brokered.platform, &acknowledged).await;
    let missing = delivered.missing(&acknowledged);
    let oldest = missing.iter().map(|(_, _, at)| killed_at.saturating_duration_since(*at)).max().unwrap_or_default();
    println!("acknowledged {}, lost {}, the oldest from {oldest:?} before the kill", acknowledged.len(), missing.len());
    let after = acknowledged.iter().filter(|(_, _, at)| *at > restarted_at).count();
    assert!(after > 2_000, "the devices did not reconnect: only {after} messages afterwards");
    let late: Vec<_> = missing.iter().filter(|(_, _, at)| *at > restarted_at).collect();
    let latest = late.iter().map(|(_, _, at)| at.duration_since(restarted_at)).max().unwrap_or_default();
    println!("{} of them were acknowledged after the restart, up to {latest:?} after it", late.len());
    let spared = |at: Instant| at > restarted_at + RECONNECT_TIME || killed_at.duration_since(at) > MAX_WRITE_DELAY;
    let wrong: Vec<_> = missing.iter().filter(|(_, _, at)| spared(*at)).collect();
    assert!(
        wrong.is_empty(),
        "{} lost messages were written before the kill or acknowledged after the restart",
        wrong.len()
    );
    bridge.close().await;
}
