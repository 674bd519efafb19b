//! The bridge, the log and the broker killed under load: what the broker acknowledged and kept arrives, and what arrives
//! twice is the same message.

use std::time::{Duration, Instant};

use eventlog::Stream;
use stack::Server;
use stack::testing::TestStack;
use tokio::time::sleep;

use crate::fleet::{Acknowledged, Delivered, Fleet};
use crate::site::Site;
use crate::world::World;

/// Messages a second of all devices together.
const RATE: u32 = 2_000;
const DEVICES: u32 = 20;
/// How long the broker may take to write its memory to disk beyond the second between two writes.
const WRITING: Duration = Duration::from_secs(8);

/// How long after a broker's restart its devices are coming back: what is acknowledged meanwhile is within the broker's
/// limits too.
const COMING_BACK: Duration = Duration::from_secs(3);

/// Waits until the raw stream has stopped growing and everything acknowledged is there, or it never will be.
pub async fn delivered(world: &World, acknowledged: &Acknowledged) -> Delivered {
    let (mut grown_at, mut messages) = (Instant::now(), 0);
    loop {
        let state = world.log.state(Stream::TelemetryRaw).await.unwrap();
        if state.messages != messages {
            (grown_at, messages) = (Instant::now(), state.messages);
        } else if grown_at.elapsed() > Duration::from_secs(1) {
            let delivered = Delivered::of(world.raw().await);
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
    let site = Site::of(World::on(&nats.urls().nats.clone(), "faults").await).await;
    let bridge = site.bridge("main");
    site.subscribed("main", 2).await;
    let fleet = Fleet::start(&site, DEVICES, RATE).await;
    sleep(Duration::from_secs(6)).await;
    bridge.crash();
    sleep(Duration::from_secs(2)).await;
    let bridge = site.bridge("main");
    sleep(Duration::from_secs(5)).await;
    nats.kill(Server::Nats).await.unwrap();
    sleep(Duration::from_secs(3)).await;
    nats.restart(Server::Nats).await.unwrap();
    sleep(Duration::from_secs(6)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&site.world, &acknowledged).await;
    println!("acknowledged {}, in the log {}, repeated {}", acknowledged.len(), delivered.len(), delivered.repeated);
    assert!(acknowledged.len() > 20_000, "the load was only {} messages", acknowledged.len());
    assert_eq!(delivered.missing(&acknowledged), []);
    assert_eq!(delivered.changed(), 0);
    // What a crash leaves unacknowledged comes again: at most what two connections may have in the air, for each fault.
    assert!(delivered.repeated <= 4_000, "{} messages came again", delivered.repeated);
    bridge.close().await;
    nats.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_loses_no_more_than_it_had_not_written() {
    let mut site = Site::new().await;
    let bridge = site.bridge("main");
    site.subscribed("main", 2).await;
    let fleet = Fleet::start(&site, DEVICES, RATE).await;
    sleep(Duration::from_secs(4)).await;
    // From here on the broker alone has what it acknowledges.
    bridge.crash();
    sleep(WRITING + Duration::from_secs(4)).await;
    let killed_at = Instant::now();
    site.broker.kill(Server::Mosquitto).await.unwrap();
    site.broker.restart(Server::Mosquitto).await.unwrap();
    // Acknowledgements of the killed broker may still be in the devices' sockets until here.
    let restarted_at = Instant::now();
    let bridge = site.bridge("main");
    sleep(Duration::from_secs(6)).await;
    let acknowledged = fleet.stop().await;
    let delivered = delivered(&site.world, &acknowledged).await;
    let missing = delivered.missing(&acknowledged);
    let oldest = missing.iter().map(|(_, _, at)| killed_at.saturating_duration_since(*at)).max().unwrap_or_default();
    println!("acknowledged {}, lost with the broker {}, from {oldest:?} before", acknowledged.len(), missing.len());
    let after = acknowledged.iter().filter(|(_, _, at)| *at > restarted_at).count();
    assert!(after > 2_000, "the devices came back: {after} messages afterwards");
    let late: Vec<_> = missing.iter().filter(|(_, _, at)| *at > restarted_at).collect();
    let latest = late.iter().map(|(_, _, at)| at.duration_since(restarted_at)).max().unwrap_or_default();
    println!("{} of them were acknowledged after the restart, up to {latest:?} after it", late.len());
    let spared = |at: Instant| at > restarted_at + COMING_BACK || killed_at.duration_since(at) > WRITING;
    let wrong: Vec<_> = missing.iter().filter(|(_, _, at)| spared(*at)).collect();
    assert!(wrong.is_empty(), "{} were lost that the broker had written, or took afterwards", wrong.len());
    bridge.close().await;
}
