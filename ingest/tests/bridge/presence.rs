//! Presence by the broker's own notices: who came and went at mosquitto, told once, with the broker as the door.

use std::time::Duration;

use domain::ids::DeviceId;
use domain::telemetry::PresenceKind::{Connected, Disconnected, EdgeLost, Silent};
use domain::telemetry::{PresenceFact, PresenceKind};
use rumqttc::{AsyncClient, EventLoop};
use stack::Server;
use tokio::task::JoinHandle;

use crate::site::Site;
use crate::world::{Device, eventually};

/// A device that stays connected until it is told to go, or is cut off.
struct Present {
    client: AsyncClient,
    polling: JoinHandle<()>,
}

impl Present {
    fn start(site: &Site, device: &Device) -> Self {
        let (client, events) = AsyncClient::new(site.device_options(device), 4);
        Self { client, polling: tokio::spawn(poll(events)) }
    }

    async fn leave(self) {
        self.client.disconnect().await.unwrap();
        self.polling.await.unwrap();
    }

    /// The connection is closed without a word.
    fn cut(self) {
        self.polling.abort();
    }
}

async fn poll(mut events: EventLoop) {
    while events.poll().await.is_ok() {}
}

async fn facts(site: &Site, device: &Device) -> Vec<PresenceFact> {
    let facts = site.world.presence().await.into_iter();
    facts.filter(|fact| fact.device == Some(DeviceId(device.id))).collect()
}

async fn told(site: &Site, device: &Device, expected: &[(PresenceKind, Option<&str>)]) -> Vec<PresenceFact> {
    eventually("the facts", || async {
        let facts = facts(site, device).await;
        let kinds: Vec<_> = facts.iter().map(|fact| (fact.kind, fact.reason.as_deref())).collect();
        (kinds == expected).then_some(facts)
    })
    .await
}

#[tokio::test]
async fn comings_and_goings_are_told_once_by_several_bridges_with_the_session_they_are_about() {
    let site = Site::new().await;
    let device = site.world.device().await;
    let bridges = [site.bridge("a"), site.bridge("b")];
    site.subscribed("a", 2).await;
    site.subscribed("b", 2).await;
    let present = Present::start(&site, &device);
    told(&site, &device, &[(Connected, None)]).await;
    present.leave().await;
    let gone = (Disconnected, Some("client_disconnect"));
    told(&site, &device, &[(Connected, None), gone]).await;
    let present = Present::start(&site, &device);
    told(&site, &device, &[(Connected, None), gone, (Connected, None)]).await;
    present.cut();
    let lost = (Disconnected, Some("connection_lost"));
    let facts = told(&site, &device, &[(Connected, None), gone, (Connected, None), lost]).await;
    assert!(facts.iter().all(|fact| fact.edge == "broker"), "{facts:?}");
    assert_eq!((facts[0].session, facts[2].session), (facts[1].session, facts[3].session));
    for bridge in bridges {
        bridge.close().await;
    }
}

#[tokio::test]
async fn what_happens_while_the_telling_bridge_dies_is_told_by_the_next() {
    let site = Site::new().await;
    let device = site.world.device().await;
    let (first, second) = (site.bridge("a"), site.bridge("b"));
    site.subscribed("a", 2).await;
    site.subscribed("b", 2).await;
    let present = Present::start(&site, &device);
    let facts = told(&site, &device, &[(Connected, None)]).await;
    first.crash();
    present.leave().await;
    let ended = told(&site, &device, &[(Connected, None), (Disconnected, Some("client_disconnect"))]).await;
    assert_eq!(ended[1].session, facts[0].session);
    second.close().await;
}

#[tokio::test]
async fn a_device_that_falls_silent_is_told_of_by_the_broker() {
    let site = Site::new().await;
    let device = site.world.device().await;
    let bridge = site.bridge("a");
    site.subscribed("a", 2).await;
    let (_client, mut events) = AsyncClient::new(site.device_options(&device), 4);
    events.poll().await.unwrap();
    told(&site, &device, &[(Connected, None)]).await;
    // Nobody polls, so nothing is sent any more: one and a half keep-alive periods of five seconds.
    told(&site, &device, &[(Connected, None), (Silent, Some("timeout"))]).await;
    bridge.close().await;
}

#[tokio::test]
async fn a_broker_that_was_killed_is_told_as_a_door_that_is_lost() {
    let mut site = Site::new().await;
    let device = site.world.device().await;
    let bridge = site.bridge("a");
    site.subscribed("a", 2).await;
    let present = Present::start(&site, &device);
    let connected = told(&site, &device, &[(Connected, None)]).await;
    // The session is older than what whole seconds leave open.
    tokio::time::sleep(Duration::from_secs(4)).await;
    site.broker.kill(Server::Mosquitto).await.unwrap();
    present.cut();
    site.broker.restart(Server::Mosquitto).await.unwrap();
    eventually("the loss of the broker", || async {
        let lost = |fact: &PresenceFact| fact.kind == EdgeLost && fact.edge == "broker" && fact.at > connected[0].at;
        site.world.presence().await.iter().any(lost).then_some(())
    })
    .await;
    bridge.close().await;
}
