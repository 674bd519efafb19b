//! What becomes of messages: accepted byte for byte, refused with a reason, acknowledged in order, never before the disk.

use std::time::{Duration, Instant};

use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::PresenceKind::Disconnected;

use crate::client::{BOTH, Client, Version, publish_octets};
use crate::world::{World, eventually, new_id};

const GOOD: &str = r#"{"metrics":{"temperature":21.5}}"#;

#[tokio::test]
async fn messages_of_both_versions_and_qualities_enter_the_log_byte_for_byte() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    for (version, spaces) in [(Version::V3, " "), (Version::V5, "  ")] {
        let mut client = Client::connect(&door, &device, version).await;
        client.publish_qos_0(&device.topic(), format!("{spaces}{GOOD}")).await;
        assert_eq!(client.publish_acknowledged(&device.topic(), format!("{GOOD}{spaces}")).await, 0);
    }
    let raw = world.raw().await;
    let payloads: Vec<_> = raw.iter().map(|reading| String::from_utf8_lossy(&reading.payload).into_owned()).collect();
    assert_eq!(payloads, [format!(" {GOOD}"), format!("{GOOD} "), format!("  {GOOD}"), format!("{GOOD}  ")]);
    assert!(raw.iter().all(|reading| reading.device == DeviceId(device.id)));
    assert!(raw.iter().all(|reading| reading.organization == OrganizationId(device.organization)));
    door.close().await;
}

#[tokio::test]
async fn many_messages_of_one_write_keep_their_order_and_are_acknowledged_in_it() {
    let world = World::new().await;
    let door = world.door_with(|config| config.limits.messages_per_second = 100_000).await;
    let (device, other) = (world.device().await, world.device().await);
    let payload = |number: u16| format!(r#"{{"metrics":{{"n":{number}}}}}"#);
    let (mut client, mut second) =
        (Client::connect(&door, &device, Version::V5).await, Client::connect(&door, &other, Version::V3).await);
    let mut octets = Vec::new();
    for number in 1..=500 {
        octets.extend(publish_octets(Version::V5, &device.topic(), payload(number).as_bytes(), 1, number));
    }
    client.send(&octets).await;
    for number in 1..=50 {
        assert_eq!(second.publish_acknowledged(&other.topic(), payload(number)).await, 0);
    }
    for number in 1..=500 {
        assert_eq!(client.receive_puback().await, (number, 0));
    }
    let raw = world.raw().await;
    let of_first = raw.iter().filter(|reading| reading.device == DeviceId(device.id));
    let read: Vec<_> = of_first.map(|reading| String::from_utf8_lossy(&reading.payload).into_owned()).collect();
    assert_eq!(read, (1..=500).map(payload).collect::<Vec<_>>());
    assert_eq!(raw.len(), 550);
    door.close().await;
}

#[tokio::test]
async fn refused_messages_become_dead_letters_and_are_acknowledged_with_the_reason() {
    let world = World::new().await;
    let (door, device, other) = (world.door().await, world.device().await, world.other_organization().await);
    let own = device.topic();
    let cases = [
        (format!("v1/telemetry/{}/{}", other.id, device.id), GOOD, "wrong_organization", 0x87),
        (format!("v1/telemetry/{}/{}", device.organization, new_id()), GOOD, "wrong_device", 0x87),
        (format!("{own}/more"), GOOD, "unknown_topic", 0x87),
        (own.clone(), "{\"metrics\":", "malformed_json", 0x99),
        (own.clone(), r#"{"metrics":{"t":NaN}}"#, "not_finite", 0x99),
        (own.clone(), r#"{"metrics":{}}"#, "no_metrics", 0x99),
    ];
    for version in BOTH {
        let mut client = Client::connect(&door, &device, version).await;
        for (topic, payload, _, code) in &cases {
            let expected = if version == Version::V5 { *code } else { 0 };
            assert_eq!(client.publish_acknowledged(topic, payload).await, expected, "{topic} {payload}");
        }
        // The flow goes on.
        assert_eq!(client.publish_acknowledged(&own, GOOD).await, 0);
    }
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 2 * cases.len());
    for (letter, (topic, payload, reason, _)) in letters.iter().zip(cases.iter().chain(&cases)) {
        let found = (letter.stage.as_str(), letter.reason.as_str(), &letter.subject, letter.payload.as_str());
        assert_eq!(found, ("ingest", *reason, topic, *payload));
        assert_eq!(letter.device, Some(DeviceId(device.id)));
        assert_eq!(letter.organization, Some(OrganizationId(device.organization)));
    }
    assert_eq!(world.raw().await.len(), 2);
    door.close().await;
}

#[tokio::test]
async fn acknowledgements_keep_the_order_of_receipt_across_good_and_bad_messages() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let mut client = Client::connect(&door, &device, Version::V5).await;
    let mut octets = Vec::new();
    for id in 1..=60u16 {
        let payload = if id % 3 == 0 { "bad" } else { GOOD };
        octets.extend(publish_octets(Version::V5, &device.topic(), payload.as_bytes(), 1, id));
    }
    client.send(&octets).await;
    for id in 1..=60u16 {
        assert_eq!(client.receive_puback().await, (id, if id % 3 == 0 { 0x99 } else { 0 }));
    }
    door.close().await;
}

#[tokio::test]
async fn text_values_are_left_to_the_normalizer_and_a_clock_from_1970_too() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    for payload in [r#"{"metrics":{"temperature":"hot"}}"#, r#"{"ts":0,"metrics":{"temperature":1}}"#] {
        client.publish_acknowledged(&device.topic(), payload).await;
    }
    assert_eq!(world.raw().await.len(), 2);
    assert_eq!(world.dead_letters().await, []);
    door.close().await;
}

#[tokio::test]
async fn a_packet_that_is_too_large_becomes_a_dead_letter_and_ends_the_session() {
    let world = World::new().await;
    let door = world.door_with(|config| config.limits.max_packet_bytes = 1_000).await;
    let device = world.device().await;
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    for (version, code) in [(Version::V3, None), (Version::V5, Some(0x95))] {
        let mut client = Client::connect(&door, &device, version).await;
        client.publish(&device.topic(), &large).await;
        assert_eq!(client.ended().await, code);
    }
    let letter = world.dead_letter("oversize").await;
    assert_eq!((letter.subject.as_str(), &letter.payload[..9]), (device.topic().as_str(), "{\"text\":\""));
    world.told(&device, Disconnected, Some("protocol_error")).await;
    assert_eq!(world.raw().await, []);
    door.close().await;
}

#[tokio::test]
async fn what_was_said_not_to_be_offered_ends_the_session_with_its_reason() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let topic = device.topic();
    let qos_2 = publish_octets(Version::V5, &topic, GOOD.as_bytes(), 2, 1);
    let mut retained = publish_octets(Version::V5, &topic, GOOD.as_bytes(), 1, 1);
    retained[0] |= 1;
    // An empty topic with alias 1.
    let aliased = [0x30, 8, 0, 0, 3, 0x23, 0, 1, b'{', b'}'];
    for (octets, code) in [(&qos_2[..], 0x9b), (&retained[..], 0x9a), (&aliased[..], 0x94)] {
        let mut client = Client::connect(&door, &device, Version::V5).await;
        client.send(octets).await;
        assert_eq!(client.ended().await, Some(code));
    }
    let mut three = Client::connect(&door, &device, Version::V3).await;
    three.send(&publish_octets(Version::V3, &topic, GOOD.as_bytes(), 2, 1)).await;
    assert_eq!(three.next(Duration::from_secs(5)).await, None);
    world.told(&device, Disconnected, Some("protocol_error")).await;
    assert_eq!(world.raw().await, []);
    door.close().await;
}

#[tokio::test]
async fn a_device_over_its_rate_is_read_more_slowly_and_loses_nothing() {
    let world = World::new().await;
    let slow = |config: &mut ingest::Config| {
        config.limits.messages_per_second = 50;
        config.limits.message_burst = 10;
    };
    let (door, device) = (world.door_with(slow).await, world.device().await);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    let started = Instant::now();
    let mut octets = Vec::new();
    for id in 1..=60 {
        octets.extend(publish_octets(Version::V3, &device.topic(), GOOD.as_bytes(), 1, id));
    }
    client.send(&octets).await;
    for id in 1..=60 {
        assert_eq!(client.receive_puback().await.0, id);
    }
    // 60 messages, 10 of them at once, 50 a second.
    assert!(started.elapsed() >= Duration::from_millis(950), "{:?}", started.elapsed());
    // A reconnect is no way around the rate.
    drop(client);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    let started = Instant::now();
    for _ in 0..11 {
        client.publish_acknowledged(&device.topic(), GOOD).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(20), "{:?}", started.elapsed());
    assert_eq!(eventually("all", || async { Some(world.raw().await.len()).filter(|raw| *raw >= 71) }).await, 71);
    door.close().await;
}
