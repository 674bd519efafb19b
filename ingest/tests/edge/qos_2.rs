//! QoS 2 at the edge: each message is stored once in a session, however often it is sent before its PUBREL.

use std::time::Duration;

use domain::telemetry::PresenceKind::Disconnected;
use stack::Server;
use stack::testing::TestStack;

use crate::mqtt_client::{BOTH_VERSIONS, Client, ConnectOptions, Packet, Version, publish_packet};
use crate::test_platform::{Device, TestPlatform};

const GOOD: &str = r#"{"metrics":{"temperature":21.5}}"#;
/// The first bytes of the server's packets.
const PUBREC: u8 = 0x50;
const PUBCOMP: u8 = 0x70;

/// Encodes a QoS 2 message; a repeated one has the DUP flag.
fn message(client: &Client, device: &Device, payload: &str, id: u16, is_repeated: bool) -> Vec<u8> {
    let mut bytes = publish_packet(client.version, &device.topic(), payload.as_bytes(), 2, id).to_vec();
    bytes[0] |= u8::from(is_repeated) << 3;
    bytes
}

fn release(id: u8) -> [u8; 4] {
    [0x62, 2, 0, id]
}

fn packet(first: u8, body: &[u8]) -> Packet {
    Packet { first, body: body.to_vec() }
}

#[tokio::test]
async fn a_qos_2_publish_is_stored_once_and_acknowledged_when_on_disk() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut stored = Vec::new();
    for version in BOTH_VERSIONS {
        let mut client = Client::connect(&door, &device, version).await;
        client.send(&message(&client, &device, GOOD, 7, false)).await;
        assert_eq!(client.receive().await, packet(PUBREC, &[0, 7]));
        stored.push(GOOD);
        assert_eq!(platform.raw_payloads().await, stored);
        // The acknowledgement may have been lost.
        client.send(&message(&client, &device, GOOD, 7, true)).await;
        assert_eq!(client.receive().await, packet(PUBREC, &[0, 7]));
        client.send(&release(7)).await;
        assert_eq!(client.receive().await, packet(PUBCOMP, &[0, 7]));
        assert_eq!(platform.raw_payloads().await, stored);
        // The identifier is free again, and the session goes on.
        client.send(&message(&client, &device, GOOD, 7, false)).await;
        assert_eq!(client.receive().await, packet(PUBREC, &[0, 7]));
        assert_eq!(client.publish_acknowledged(&device.topic(), GOOD).await, 0);
        stored.extend([GOOD; 2]);
        assert_eq!(platform.raw_payloads().await, stored);
    }
    door.close().await;
}

#[tokio::test]
async fn a_qos_2_publish_waits_for_a_log_that_was_killed() {
    let mut stack = TestStack::start(|options| options.only(Server::Nats)).await.unwrap();
    let platform = TestPlatform::on(&stack.urls().nats.clone(), "qos2").await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    client.send(&message(&client, &device, GOOD, 1, false)).await;
    assert_eq!(client.receive().await, packet(PUBREC, &[0, 1]));
    stack.kill(Server::Nats).await.unwrap();
    let second = r#"{"metrics":{"temperature":22.5}}"#;
    client.send(&message(&client, &device, second, 2, false)).await;
    client.send(&message(&client, &device, second, 2, true)).await;
    client.send(&release(2)).await;
    // Pings are answered meanwhile.
    client.send(&[0xc0, 0]).await;
    assert_eq!(client.receive().await, packet(0xd0, &[]));
    stack.restart(Server::Nats).await.unwrap();
    for first in [PUBREC, PUBREC, PUBCOMP] {
        assert_eq!(client.receive().await, packet(first, &[0, 2]));
    }
    assert_eq!(platform.raw_payloads().await, [GOOD, second]);
    door.close().await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_qos_2_publish_is_a_dead_letter_with_its_reason_code() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    for (version, acknowledged, completed) in
        [(Version::V3, &[0, 7][..], &[0, 7][..]), (Version::V5, &[0, 7, 0x99], &[0, 7, 0x92])]
    {
        let mut client = Client::connect(&door, &device, version).await;
        client.send(&message(&client, &device, "bad", 7, false)).await;
        assert_eq!(client.receive().await, packet(PUBREC, acknowledged));
        // In MQTT 5 the error has ended the exchange already.
        client.send(&release(7)).await;
        assert_eq!(client.receive().await, packet(PUBCOMP, completed));
    }
    assert_eq!(platform.dead_letters().await.len(), 2);
    assert_eq!(platform.raw_payloads().await, Vec::<String>::new());
    door.close().await;
}

#[tokio::test]
async fn a_new_connection_knows_nothing_of_earlier_qos_2_messages() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    for (version, completed) in [(Version::V3, &[0, 7][..]), (Version::V5, &[0, 7, 0x92])] {
        let mut client = Client::connect(&door, &device, version).await;
        client.send(&message(&client, &device, GOOD, 7, false)).await;
        assert_eq!(client.receive().await, packet(PUBREC, &[0, 7]));
        let mut client = Client::handshake(&door, &device, version).await;
        // No session is present.
        assert_eq!(client.send_connect(&device, ConnectOptions::default()).await.body[..2], [0, 0]);
        client.send(&release(7)).await;
        assert_eq!(client.receive().await, packet(PUBCOMP, completed));
        client.send(&message(&client, &device, GOOD, 7, true)).await;
        assert_eq!(client.receive().await, packet(PUBREC, &[0, 7]));
    }
    assert_eq!(platform.raw_payloads().await, [GOOD; 4]);
    door.close().await;
}

#[tokio::test]
async fn an_mqtt_5_client_above_the_receive_maximum_is_disconnected_with_the_reason() {
    let platform = TestPlatform::new().await;
    let door = platform.door_with(|config| config.limits.receive_maximum = 2).await;
    let device = platform.device().await;
    let mut client = Client::connect(&door, &device, Version::V5).await;
    for id in 1..=2 {
        client.send(&message(&client, &device, GOOD, id, false)).await;
        assert_eq!(client.next(Duration::from_secs(10)).await, Some(packet(PUBREC, &[0, id as u8])));
    }
    client.send(&message(&client, &device, GOOD, 3, false)).await;
    assert_eq!(client.ended().await, Some(0x93));
    platform.wait_for_presence(&device, Disconnected, Some("receive_maximum_exceeded")).await;
    door.close().await;
}
