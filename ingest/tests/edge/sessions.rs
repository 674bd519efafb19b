//! Sessions from their beginning to their end, and what is told of them.

use std::time::{Duration, Instant};

use domain::ids::DeviceId;
use domain::telemetry::PresenceKind::{Connected, Disconnected, Silent};

use crate::client::{Ask, BOTH, Client, Version};
use crate::world::{World, eventually, now};

const GOOD: &str = r#"{"metrics":{"temperature":21.5}}"#;
const LAST_WORD: &str = r#"{"metrics":{"online":false}}"#;

#[tokio::test]
async fn a_device_that_connects_anew_takes_its_session_over() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let mut first = Client::connect(&door, &device, Version::V5).await;
    let mut second = Client::connect(&door, &device, Version::V3).await;
    assert_eq!(first.ended().await, Some(0x8e));
    assert_eq!(second.publish_acknowledged(&device.topic(), GOOD).await, 0);
    let mut third = Client::connect(&door, &device, Version::V3).await;
    assert_eq!(second.ended().await, None);
    third.send(&[0xe0, 0]).await;
    world.told(&device, Disconnected, Some("client_disconnect")).await;
    let facts = world.presence().await;
    let of = |fact: &&domain::telemetry::PresenceFact| fact.device == Some(DeviceId(device.id));
    let begun: Vec<_> = facts.iter().filter(of).filter(|f| f.kind == Connected).map(|f| f.session.unwrap()).collect();
    assert!(begun.is_sorted() && begun.len() == 3, "{begun:?}");
    let taken: Vec<_> = facts.iter().filter(|fact| fact.reason.as_deref() == Some("taken_over")).collect();
    assert_eq!(taken.iter().map(|fact| fact.session.unwrap()).collect::<Vec<_>>(), begun[..2]);
    door.close().await;
}

#[tokio::test]
async fn a_device_that_breaks_its_keep_alive_is_told_as_silent() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let ask = Ask { keep_alive: 1, ..Ask::default() };
    let mut client = Client::connect_asking(&door, &device, Version::V5, ask).await;
    // Pings keep it alive.
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
    world.told(&device, Silent, Some("timeout")).await;
    door.close().await;
}

#[tokio::test]
async fn a_broken_connection_is_told_and_publishes_the_will() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    for (version, so_far) in [(Version::V3, 1), (Version::V5, 2)] {
        let ask = Ask { will: Some((device.topic(), LAST_WORD.into())), ..Ask::default() };
        drop(Client::connect_asking(&door, &device, version, ask).await);
        let written = || async { (world.raw_payloads().await == vec![LAST_WORD; so_far]).then_some(()) };
        eventually("the will", written).await;
    }
    world.told(&device, Disconnected, Some("connection_lost")).await;
    door.close().await;
}

#[tokio::test]
async fn a_disconnect_takes_the_will_back_unless_it_says_otherwise() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let will = |payload: &str| Ask { will: Some((device.topic(), payload.into())), ..Ask::default() };
    for version in BOTH {
        let mut client = Client::connect_asking(&door, &device, version, will(GOOD)).await;
        client.send(&[0xe0, 0]).await;
        assert_eq!(client.ended().await, None);
    }
    let mut client = Client::connect_asking(&door, &device, Version::V5, will(LAST_WORD)).await;
    client.send(&[0xe0, 2, 4, 0]).await;
    eventually("the will", || async { (world.raw_payloads().await == [LAST_WORD]).then_some(()) }).await;
    door.close().await;
    assert_eq!(world.raw_payloads().await, [LAST_WORD]);
}

#[tokio::test]
async fn a_will_to_another_topic_is_a_dead_letter() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let ask = Ask { will: Some(("status/gone".into(), "gone".into())), ..Ask::default() };
    drop(Client::connect_asking(&door, &device, Version::V3, ask).await);
    assert_eq!(world.dead_letter("unknown_topic").await.subject, "status/gone");
    door.close().await;
}

#[tokio::test]
async fn a_device_subscribes_to_its_own_commands_and_to_nothing_else() {
    let world = World::new().await;
    let (door, device, other) = (world.door().await, world.device().await, world.device().await);
    let commands = |device: &crate::world::Device| format!("v1/commands/{}/{}", device.organization, device.id);
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

/// A SUBSCRIBE with QoS 2 for each filter, or an UNSUBSCRIBE.
fn subscribe(first: u8, version: Version, filters: &[&str], with_qos: bool) -> Vec<u8> {
    let mut body = vec![0, 7];
    body.extend(vec![0; usize::from(version == Version::V5)]);
    for filter in filters {
        body.extend((filter.len() as u16).to_be_bytes());
        body.extend(filter.as_bytes());
        body.extend(vec![2; usize::from(with_qos)]);
    }
    let mut octets = vec![first];
    let mut length = body.len();
    while length > 0x7f {
        octets.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    octets.push(length as u8);
    octets.extend(body);
    octets
}

#[tokio::test]
async fn a_live_session_ends_within_a_second_of_losing_its_right() {
    let world = World::new().await;
    let door = world.door().await;
    let (revoked, gone, suspended) = (world.device().await, world.device().await, world.device().await);
    let mut of_revoked = Client::connect(&door, &revoked, Version::V5).await;
    let mut of_gone = Client::connect(&door, &gone, Version::V5).await;
    let mut of_suspended = Client::connect(&door, &suspended, Version::V5).await;
    let within_a_second =
        |started: Instant| assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());

    let started = Instant::now();
    world.revoke(&revoked).await;
    assert_eq!(of_revoked.receive().await.body[0], 0x98);
    within_a_second(started);
    world.told(&revoked, Disconnected, Some("revoked")).await;

    let started = Instant::now();
    world.decommission(&gone).await;
    assert_eq!(of_gone.receive().await.body[0], 0x98);
    within_a_second(started);
    world.told(&gone, Disconnected, Some("decommissioned")).await;

    assert_eq!(of_suspended.publish_acknowledged(&suspended.topic(), GOOD).await, 0);
    let started = Instant::now();
    world.suspend().await;
    assert_eq!(of_suspended.receive().await.body[0], 0x98);
    within_a_second(started);
    world.told(&suspended, Disconnected, Some("organization_suspended")).await;
    door.close().await;
}

#[tokio::test]
async fn a_session_ends_with_its_certificate() {
    let world = World::new().await;
    let door = world.door().await;
    let device = world.unregistered(1, now() - chrono::Duration::days(1) + chrono::Duration::seconds(4));
    world.register(&device).await;
    world.note_certificate(&device).await;
    let mut client = Client::connect(&door, &device, Version::V5).await;
    assert_eq!(client.publish_acknowledged(&device.topic(), GOOD).await, 0);
    assert_eq!(client.ended().await, Some(0xa0));
    assert!(now() > device.issued.not_after);
    world.told(&device, Disconnected, Some("expired")).await;
    door.close().await;
}

#[tokio::test]
async fn packets_out_of_place_or_malformed_end_the_session_with_a_reason() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    for (octets, code) in [
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
        client.send(octets).await;
        assert_eq!(client.ended().await, Some(code), "{octets:?}");
    }
    door.close().await;
}

#[tokio::test]
async fn random_octets_never_take_the_door_down() {
    let world = World::new().await;
    let (door, device, good) = (world.door().await, world.device().await, world.device().await);
    let mut bystander = Client::connect(&door, &good, Version::V3).await;
    // A small generator (xorshift), so that a failure can be repeated.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..60 {
        let mut octets = Vec::new();
        for _ in 0..(round * 7 + 3) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            octets.push(state as u8);
        }
        let mut client = Client::connect(&door, &device, BOTH[round % 2]).await;
        client.send(&octets).await;
    }
    assert_eq!(bystander.publish_acknowledged(&good.topic(), GOOD).await, 0);
    door.close().await;
}

#[tokio::test]
async fn a_door_that_closes_tells_its_devices_and_keeps_what_it_took() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let mut client = Client::connect(&door, &device, Version::V5).await;
    client.publish_qos_0(&device.topic(), LAST_WORD).await;
    let id = client.publish(&device.topic(), GOOD).await;
    assert_eq!(client.receive_puback().await, (id, 0));
    let (_, code) = tokio::join!(door.close(), client.ended());
    assert_eq!(code, Some(0x8b));
    assert_eq!(world.raw_payloads().await, [LAST_WORD, GOOD]);
    let facts = world.presence_of(&device).await;
    assert_eq!(facts, [(Connected, None), (Disconnected, Some("shutdown".into()))]);
}

#[tokio::test]
async fn a_device_that_connects_at_another_door_has_left_this_one() {
    let world = World::new().await;
    let (first, device) = (world.door().await, world.device().await);
    let second = world.door_with(|config| config.instance = "edge-2".into()).await;
    let mut before = Client::connect(&first, &device, Version::V5).await;
    let mut after = Client::connect(&second, &device, Version::V5).await;
    assert_eq!(before.ended().await, Some(0x8e));
    assert_eq!(after.publish_acknowledged(&device.topic(), GOOD).await, 0);
    world.told(&device, Disconnected, Some("taken_over")).await;
    first.close().await;
    second.close().await;
}
