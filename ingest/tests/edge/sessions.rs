//! Sessions at the edge from start to end, and the presence facts about them.

use std::time::{Duration, Instant};

use domain::ids::DeviceId;
use domain::telemetry::PresenceKind::{Connected, Disconnected, Silent};

use crate::mqtt_client::{BOTH_VERSIONS, Client, ConnectOptions, Version};
use crate::test_platform::{TestPlatform, eventually, now};

const GOOD: &str = r#"{"metrics":{"temperature":21.5}}"#;
const WILL: &str = r#"{"metrics":{"online":false}}"#;

#[tokio::test]
async fn a_new_connection_of_a_device_takes_over_its_session() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut first = Client::connect(&door, &device, Version::V5).await;
    let mut second = Client::connect(&door, &device, Version::V3).await;
    assert_eq!(first.ended().await, Some(0x8e));
    assert_eq!(second.publish_acknowledged(&device.topic(), GOOD).await, 0);
    let mut third = Client::connect(&door, &device, Version::V3).await;
    assert_eq!(second.ended().await, None);
    third.send(&[0xe0, 0]).await;
    platform.wait_for_presence(&device, Disconnected, Some("client_disconnect")).await;
    let facts = platform.presence().await;
    let of = |fact: &&domain::telemetry::PresenceFact| fact.device == Some(DeviceId(device.id));
    let begun: Vec<_> = facts.iter().filter(of).filter(|f| f.kind == Connected).map(|f| f.session.unwrap()).collect();
    assert!(begun.is_sorted() && begun.len() == 3, "{begun:?}");
    let taken: Vec<_> = facts.iter().filter(|fact| fact.reason.as_deref() == Some("taken_over")).collect();
    assert_eq!(taken.iter().map(|fact| fact.session.unwrap()).collect::<Vec<_>>(), begun[..2]);
    door.close().await;
}

#[tokio::test]
async fn a_device_that_misses_its_keep_alive_is_reported_as_silent() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let options = ConnectOptions { keep_alive: 1, ..ConnectOptions::default() };
    let mut client = Client::connect_with(&door, &device, Version::V5, options).await;
    // Pings keep the session alive.
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2_500) {
        client.send(&[0xc0, 0]).await;
        assert_eq!(client.receive().await.first, 0xd0);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let quiet_since = Instant::now();
    assert_eq!(client.ended().await, Some(0x8d));
    let quiet = quiet_since.elapsed();
    assert!(quiet > Duration::from_millis(900) && quiet < Duration::from_millis(2_500), "{quiet:?}");
    platform.wait_for_presence(&device, Silent, Some("timeout")).await;
    door.close().await;
}

#[tokio::test]
async fn a_broken_connection_is_reported_and_publishes_the_will() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    for (version, will_qos, so_far) in
        [(Version::V3, 1, 1), (Version::V5, 1, 2), (Version::V3, 2, 3), (Version::V5, 2, 4)]
    {
        let will = Some((device.topic(), WILL.into()));
        let options = ConnectOptions { will, will_qos, ..ConnectOptions::default() };
        drop(Client::connect_with(&door, &device, version, options).await);
        let written = || async { (platform.raw_payloads().await == vec![WILL; so_far]).then_some(()) };
        eventually("the will", written).await;
    }
    platform.wait_for_presence(&device, Disconnected, Some("connection_lost")).await;
    door.close().await;
}

#[tokio::test]
async fn a_disconnect_discards_the_will_unless_it_requests_it() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let will =
        |payload: &str| ConnectOptions { will: Some((device.topic(), payload.into())), ..ConnectOptions::default() };
    for version in BOTH_VERSIONS {
        let mut client = Client::connect_with(&door, &device, version, will(GOOD)).await;
        client.send(&[0xe0, 0]).await;
        assert_eq!(client.ended().await, None);
    }
    let mut client = Client::connect_with(&door, &device, Version::V5, will(WILL)).await;
    client.send(&[0xe0, 2, 4, 0]).await;
    eventually("the will", || async { (platform.raw_payloads().await == [WILL]).then_some(()) }).await;
    door.close().await;
    assert_eq!(platform.raw_payloads().await, [WILL]);
}

#[tokio::test]
async fn a_will_to_another_topic_is_a_dead_letter() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let options = ConnectOptions { will: Some(("status/gone".into(), "gone".into())), ..ConnectOptions::default() };
    drop(Client::connect_with(&door, &device, Version::V3, options).await);
    assert_eq!(platform.dead_letter("unknown_topic").await.subject, "status/gone");
    door.close().await;
}

#[tokio::test]
async fn a_device_may_subscribe_only_to_its_own_commands() {
    let platform = TestPlatform::new().await;
    let (door, device, other) = (platform.door().await, platform.device().await, platform.device().await);
    let commands = |device: &crate::test_platform::Device| format!("v1/commands/{}/{}", device.organization, device.id);
    for (version, refused) in [(Version::V3, 0x80), (Version::V5, 0x87)] {
        let mut client = Client::connect(&door, &device, version).await;
        let filters = [
            commands(&device),
            commands(&other),
            "#".into(),
            device.topic(),
            format!("$share/g/{}", commands(&device)),
        ];
        client.send(&subscribe(0x82, version, &filters.each_ref().map(String::as_str), true)).await;
        let answer = client.receive().await;
        let skipped = if version == Version::V5 { 3 } else { 2 };
        assert_eq!((answer.first, &answer.body[skipped..]), (0x90, &[1, refused, refused, refused, refused][..]));
        client.send(&subscribe(0xa2, version, &[&filters[0], &filters[2]], false)).await;
        let answer = client.receive().await;
        let codes: &[u8] = if version == Version::V5 { &[0, 0x11] } else { &[] };
        assert_eq!((answer.first, &answer.body[skipped..]), (0xb0, codes));
    }
    door.close().await;
}

/// Encodes a SUBSCRIBE with QoS 2 for each filter, or an UNSUBSCRIBE.
fn subscribe(first: u8, version: Version, filters: &[&str], with_qos: bool) -> Vec<u8> {
    let mut body = vec![0, 7];
    body.extend(vec![0; usize::from(version == Version::V5)]);
    for filter in filters {
        body.extend((filter.len() as u16).to_be_bytes());
        body.extend(filter.as_bytes());
        body.extend(vec![2; usize::from(with_qos)]);
    }
    let mut bytes = vec![first];
    let mut length = body.len();
    while length > 0x7f {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes
}

#[tokio::test]
async fn a_live_session_ends_within_a_second_of_losing_access() {
    let platform = TestPlatform::new().await;
    let door = platform.door().await;
    let (revoked, gone, suspended) = (platform.device().await, platform.device().await, platform.device().await);
    let mut of_revoked = Client::connect(&door, &revoked, Version::V5).await;
    let mut of_gone = Client::connect(&door, &gone, Version::V5).await;
    let mut of_suspended = Client::connect(&door, &suspended, Version::V5).await;
    let within_a_second =
        |started: Instant| assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());

    let started = Instant::now();
    platform.revoke(&revoked).await;
    assert_eq!(of_revoked.receive().await.body[0], 0x98);
    within_a_second(started);
    platform.wait_for_presence(&revoked, Disconnected, Some("revoked")).await;

    let started = Instant::now();
    platform.decommission(&gone).await;
    assert_eq!(of_gone.receive().await.body[0], 0x98);
    within_a_second(started);
    platform.wait_for_presence(&gone, Disconnected, Some("decommissioned")).await;

    assert_eq!(of_suspended.publish_acknowledged(&suspended.topic(), GOOD).await, 0);
    let started = Instant::now();
    platform.suspend().await;
    assert_eq!(of_suspended.receive().await.body[0], 0x98);
    within_a_second(started);
    platform.wait_for_presence(&suspended, Disconnected, Some("organization_suspended")).await;
    door.close().await;
}

#[tokio::test]
async fn a_session_ends_when_its_certificate_expires() {
    let platform = TestPlatform::new().await;
    let door = platform.door().await;
    let device = platform.unregistered(1, now() - chrono::Duration::days(1) + chrono::Duration::seconds(4));
    platform.register(&device).await;
    platform.record_certificate(&device).await;
    let mut client = Client::connect(&door, &device, Version::V5).await;
    assert_eq!(client.publish_acknowledged(&device.topic(), GOOD).await, 0);
    assert_eq!(client.ended().await, Some(0xa0));
    assert!(now() > device.issued.not_after);
    platform.wait_for_presence(&device, Disconnected, Some("expired")).await;
    door.close().await;
}

#[tokio::test]
async fn unexpected_and_malformed_packets_end_the_session_with_a_reason_code() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    for (bytes, code) in [
        (&[0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 9, 0, 0][..], 0x82),
        (&[0x20, 2, 0, 0], 0x82),
        (&[0x40, 2, 0, 1], 0x82),
        (&[0xf0, 0], 0x82),
        (&[0x00, 0], 0x82),
        (&[0x30, 0xff, 0xff, 0xff, 0xff, 0xff], 0x81),
        (&[0x36, 5, 0, 1, b'a', 0, 1], 0x81),
        (&[0x82, 2, 0, 1], 0x81),
    ] {
        let mut client = Client::connect(&door, &device, Version::V5).await;
        client.send(bytes).await;
        assert_eq!(client.ended().await, Some(code), "{bytes:?}");
    }
    door.close().await;
}

#[tokio::test]
async fn random_bytes_never_crash_the_door() {
    let platform = TestPlatform::new().await;
    let (door, device, good) = (platform.door().await, platform.device().await, platform.device().await);
    let mut bystander = Client::connect(&door, &good, Version::V3).await;
    // A deterministic generator (xorshift), so that a failure can be reproduced.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..60 {
        let mut bytes = Vec::new();
        for _ in 0..(round * 7 + 3) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push(state as u8);
        }
        let mut client = Client::connect(&door, &device, BOTH_VERSIONS[round % 2]).await;
        client.send(&bytes).await;
    }
    assert_eq!(bystander.publish_acknowledged(&good.topic(), GOOD).await, 0);
    door.close().await;
}

#[tokio::test]
async fn a_closing_door_disconnects_its_devices_and_keeps_accepted_messages() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut client = Client::connect(&door, &device, Version::V5).await;
    client.publish_qos_0(&device.topic(), WILL).await;
    let id = client.publish(&device.topic(), GOOD).await;
    assert_eq!(client.receive_puback().await, (id, 0));
    let (_, code) = tokio::join!(door.close(), client.ended());
    assert_eq!(code, Some(0x8b));
    assert_eq!(platform.raw_payloads().await, [WILL, GOOD]);
    let facts = platform.presence_of(&device).await;
    assert_eq!(facts, [(Connected, None), (Disconnected, Some("shutdown".into()))]);
}

#[tokio::test]
async fn a_device_that_connects_at_another_door_is_disconnected_from_this_one() {
    let platform = TestPlatform::new().await;
    let (first, device) = (platform.door().await, platform.device().await);
    let second = platform.door_with(|config| config.instance = "edge-2".into()).await;
    let mut before = Client::connect(&first, &device, Version::V5).await;
    let mut after = Client::connect(&second, &device, Version::V5).await;
    assert_eq!(before.ended().await, Some(0x8e));
    assert_eq!(after.publish_acknowledged(&device.topic(), GOOD).await, 0);
    platform.wait_for_presence(&device, Disconnected, Some("taken_over")).await;
    first.close().await;
    second.close().await;
}
