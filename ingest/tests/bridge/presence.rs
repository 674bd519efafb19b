//! Presence from the broker's events: connects and disconnects at mosquitto are reported once, with the broker as the
//! edge.

use std::time::Duration;

use domain::ids::DeviceId;
use domain::telemetry::PresenceKind::{Connected, Disconnected, EdgeLost, Silent};
use domain::telemetry::{PresenceFact, PresenceKind};
use rumqttc::{AsyncClient, EventLoop};
use stack::Server;
use tokio::task::JoinHandle;

use crate::test_broker::BrokeredPlatform;
use crate::test_platform::{Device, eventually};

/// A device that stays connected until it disconnects or is cut off.
struct ConnectedDevice {
    client: AsyncClient,
    polling: JoinHandle<()>,
}

impl ConnectedDevice {
    fn start(brokered: &BrokeredPlatform, device: &Device) -> Self {
        let (client, events) = AsyncClient::new(brokered.device_options(device), 4);
        Self { client, polling: tokio::spawn(poll(events)) }
    }

    async fn disconnect(self) {
        self.client.disconnect().await.unwrap();
        self.polling.await.unwrap();
    }

    /// Closes the connection without a DISCONNECT.
    fn cut_off(self) {
        self.polling.abort();
    }
}

async fn poll(mut events: EventLoop) {
    while events.poll().await.is_ok() {}
}

async fn facts(brokered: &BrokeredPlatform, device: &Device) -> Vec<PresenceFact> {
    let facts = brokered.platform.presence().await.into_iter();
    facts.filter(|fact| fact.device == Some(DeviceId(device.id))).collect()
}

async fn wait_for_facts(
    brokered: &BrokeredPlatform,
    device: &Device,
    expected: &[(PresenceKind, Option<&str>)],
) -> Vec<PresenceFact> {
    eventually("the facts", || async {
        let facts = facts(brokered, device).await;
        let kinds: Vec<_> = facts.iter().map(|fact| (fact.kind, fact.reason.as_deref())).collect();
        (kinds == expected).then_some(facts)
    })
    .await
}

#[tokio::test]
async fn connects_and_disconnects_are_reported_once_by_several_bridges_with_their_session() {
    let brokered = BrokeredPlatform::new().await;
    let device = brokered.platform.device().await;
    let bridges = [brokered.bridge("a"), brokered.bridge("b")];
    brokered.wait_for_subscriptions("a", 2).await;
    brokered.wait_for_subscriptions("b", 2).await;
    let connected_device = ConnectedDevice::start(&brokered, &device);
    wait_for_facts(&brokered, &device, &[(Connected, None)]).await;
    connected_device.disconnect().await;
    let gone = (Disconnected, Some("client_disconnect"));
    wait_for_facts(&brokered, &device, &[(Connected, None), gone]).await;
    let connected_device = ConnectedDevice::start(&brokered, &device);
    wait_for_facts(&brokered, &device, &[(Connected, None), gone, (Connected, None)]).await;
    connected_device.cut_off();
    let lost = (Disconnected, Some("connection_lost"));
    let facts = wait_for_facts(&brokered, &device, &[(Connected, None), gone, (Connected, None), lost]).await;
    assert!(facts.iter().all(|fact| fact.edge == "broker"), "{facts:?}");
    assert_eq!((facts[0].session, facts[2].session), (facts[1].session, facts[3].session));
    for bridge in bridges {
        bridge.close().await;
    }
}

#[tokio::test]
async fn events_during_the_death_of_the_elected_bridge_are_reported_by_the_next() {
    let brokered = BrokeredPlatform::new().await;
    let device = brokered.platform.device().await;
    let (first, second) = (brokered.bridge("a"), brokered.bridge("b"));
    brokered.wait_for_subscriptions("a", 2).await;
    brokered.wait_for_subscriptions("b", 2).await;
    let connected_device = ConnectedDevice::start(&brokered, &device);
    let facts = wait_for_facts(&brokered, &device, &[(Connected, None)]).await;
    first.crash();
    connected_device.disconnect().await;
    let ended =
        wait_for_facts(&brokered, &device, &[(Connected, None), (Disconnected, Some("client_disconnect"))]).await;
    assert_eq!(ended[1].session, facts[0].session);
    second.close().await;
}

#[tokio::test]
async fn a_silent_device_is_reported() {
    let brokered = BrokeredPlatform::new().await;
    let device = brokered.platform.device().await;
    let bridge = brokered.bridge("a");
    brokered.wait_for_subscriptions("a", 2).await;
    let (_client, mut events) = AsyncClient::new(brokered.device_options(&device), 4);
    events.poll().await.unwrap();
    wait_for_facts(&brokered, &device, &[(Connected, None)]).await;
    // Without polling nothing is sent: the device is silent after one and a half keep-alive intervals of five seconds.
    wait_for_facts(&brokered, &device, &[(Connected, None), (Silent, Some("timeout"))]).await;
    bridge.close().await;
}

#[tokio::test]
async fn a_killed_broker_is_reported_as_a_lost_edge() {
    let mut brokered = BrokeredPlatform::new().await;
    let device = brokered.platform.device().await;
    let bridge = brokered.bridge("a");
    brokered.wait_for_subscriptions("a", 2).await;
    let connected_device = ConnectedDevice::start(&brokered, &device);
    let connected = wait_for_facts(&brokered, &device, &[(Connected, None)]).await;
    // The session must be clearly older than the restart: start times have whole seconds.
    tokio::time::sleep(Duration::from_secs(4)).await;
    brokered.broker.kill(Server::Mosquitto).await.unwrap();
    connected_device.cut_off();
    brokered.broker.restart(Server::Mosquitto).await.unwrap();
    eventually("the loss of the broker", || async {
        let lost = |fact: &PresenceFact| fact.kind == EdgeLost && fact.edge == "broker" && fact.at > connected[0].at;
        brokered.platform.presence().await.iter().any(lost).then_some(())
    })
    .await;
    bridge.close().await;
}
