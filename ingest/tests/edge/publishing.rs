//! Publishing at the edge: messages are stored byte for byte or refused with a reason, and acknowledged in order, never
//! before they are on disk.

use std::time::{Duration, Instant};

use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::PresenceKind::Disconnected;

use crate::mqtt_client::{BOTH_VERSIONS, Client, Version, publish_packet};
use crate::test_platform::{TestPlatform, eventually, new_id};

const GOOD: &str = r#"{"metrics":{"temperature":21.5}}"#;

#[tokio::test]
async fn messages_of_both_versions_and_qos_levels_are_stored_byte_for_byte() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    for (version, spaces) in [(Version::V3, " "), (Version::V5, "  ")] {
        let mut client = Client::connect(&door, &device, version).await;
        client.publish_qos_0(&device.topic(), format!("{spaces}{GOOD}")).await;
        assert_eq!(client.publish_acknowledged(&device.topic(), format!("{GOOD}{spaces}")).await, 0);
    }
    let raw = platform.raw().await;
    let payloads: Vec<_> = raw.iter().map(|reading| String::from_utf8_lossy(&reading.payload).into_owned()).collect();
    assert_eq!(payloads, [format!(" {GOOD}"), format!("{GOOD} "), format!("  {GOOD}"), format!("{GOOD}  ")]);
    assert!(raw.iter().all(|reading| reading.device == DeviceId(device.id)));
    assert!(raw.iter().all(|reading| reading.organization == OrganizationId(device.organization)));
    door.close().await;
}

#[tokio::test]
async fn many_messages_of_one_write_are_stored_and_acknowledged_in_order() {
    let platform = TestPlatform::new().await;
    let door = platform.door_with(|config| config.limits.messages_per_second = 100_000).await;
    let (device, other) = (platform.device().await, platform.device().await);
    let payload = |number: u16| format!(r#"{{"metrics":{{"n":{number}}}}}"#);
    let (mut client, mut second) =
        (Client::connect(&door, &device, Version::V5).await, Client::connect(&door, &other, Version::V3).await);
    let mut bytes = Vec::new();
    for number in 1..=500 {
        bytes.extend(publish_packet(Version::V5, &device.topic(), payload(number).as_bytes(), 1, number));
    }
    client.send(&bytes).await;
    for number in 1..=50 {
        assert_eq!(second.publish_acknowledged(&other.topic(), payload(number)).await, 0);
    }
    for number in 1..=500 {
        assert_eq!(client.receive_puback().await, (number, 0));
    }
    let raw = platform.raw().await;
    let of_first = raw.iter().filter(|reading| reading.device == DeviceId(device.id));
    let read: Vec<_> = of_first.map(|reading| String::from_utf8_lossy(&reading.payload).into_owned()).collect();
    assert_eq!(read, (1..=500).map(payload).collect::<Vec<_>>());
    assert_eq!(raw.len(), 550);
    door.close().await;
}

#[tokio::test]
async fn refused_messages_become_dead_letters_and_are_acknowledged_with_the_reason() {
    let platform = TestPlatform::new().await;
    let (door, device, other) = (platform.door().await, platform.device().await, platform.other_organization().await);
    let own = device.topic();
    let cases = [
        (format!("v1/telemetry/{}/{}", other.id, device.id), GOOD, "wrong_organization", 0x87),
        (format!("v1/telemetry/{}/{}", device.organization, new_id()), GOOD, "wrong_device", 0x87),
        (format!("{own}/more"), GOOD, "unknown_topic", 0x87),
        (own.clone(), "{\"metrics\":", "malformed_json", 0x99),
        (own.clone(), r#"{"metrics":{"t":NaN}}"#, "not_finite", 0x99),
        (own.clone(), r#"{"metrics":{}}"#, "no_metrics", 0x99),
    ];
    for version in BOTH_VERSIONS {
        let mut client = Client::connect(&door, &device, version).await;
        for (topic, payload, _, code) in &cases {
            let expected = if version == Version::V5 { *code } else { 0 };
            assert_eq!(client.publish_acknowledged(topic, payload).await, expected, "{topic} {payload}");
        }
        // Later messages are still accepted.
        assert_eq!(client.publish_acknowledged(&own, GOOD).await, 0);
    }
    let letters = platform.dead_letters().await;
    assert_eq!(letters.len(), 2 * cases.len());
    for (letter, (topic, payload, reason, _)) in letters.iter().zip(cases.iter().chain(&cases)) {
        let found = (letter.stage.as_str(), letter.reason.as_str(), &letter.subject, letter.payload.as_str());
        assert_eq!(found, ("ingest", *reason, topic, *payload));
        assert_eq!(letter.device, Some(DeviceId(device.id)));
        assert_eq!(letter.organization, Some(OrganizationId(device.organization)));
    }
    assert_eq!(platform.raw().await.len(), 2);
    door.close().await;
}

#[tokio::test]
async fn accepted_and_refused_messages_are_acknowledged_in_order_of_receipt() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut client = Client::connect(&door, &device, Version::V5).await;
    let mut bytes = Vec::new();
    for id in 1..=60u16 {
        let payload = if id % 3 == 0 { "bad" } else { GOOD };
        bytes.extend(publish_packet(Version::V5, &device.topic(), payload.as_bytes(), 1, id));
    }
    client.send(&bytes).await;
    for id in 1..=60u16 {
        assert_eq!(client.receive_puback().await, (id, if id % 3 == 0 { 0x99 } else { 0 }));
    }
    door.close().await;
}

#[tokio::test]
async fn the_readings_of_arrays_sent_at_once_have_times_of_arrival_of_their_own() {
    const READINGS: usize = 1_000;
    let platform = TestPlatform::new().await;
    let door = platform.door_with(|config| config.limits.messages_per_second = 100_000).await;
    let device = platform.device().await;
    let mut client = Client::connect(&door, &device, Version::V3).await;
    let array = format!("[{}]", vec![r#"{"metrics":{"n":1}}"#; READINGS].join(","));
    let bytes: Vec<u8> =
        (1..=50).flat_map(|id| publish_packet(Version::V3, &device.topic(), array.as_bytes(), 1, id)).collect();
    client.send(&bytes).await;
    for id in 1..=50 {
        assert_eq!(client.receive_puback().await, (id, 0));
    }
    let times: Vec<_> = platform.raw().await.iter().map(|reading| reading.received_at).collect();
    assert_eq!(times.len(), 50);
    let room = chrono::TimeDelta::microseconds(READINGS as i64);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= room), "{times:?}");
    door.close().await;
}

#[tokio::test]
async fn string_values_and_a_clock_from_1970_are_left_to_the_normalizer() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    for payload in [r#"{"metrics":{"temperature":"hot"}}"#, r#"{"ts":0,"metrics":{"temperature":1}}"#] {
        client.publish_acknowledged(&device.topic(), payload).await;
    }
    assert_eq!(platform.raw().await.len(), 2);
    assert_eq!(platform.dead_letters().await, []);
    door.close().await;
}

#[tokio::test]
async fn a_packet_that_is_too_large_becomes_a_dead_letter_and_ends_the_session() {
    let platform = TestPlatform::new().await;
    let door = platform.door_with(|config| config.limits.max_packet_bytes = 1_000).await;
    let device = platform.device().await;
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    for (version, code) in [(Version::V3, None), (Version::V5, Some(0x95))] {
        let mut client = Client::connect(&door, &device, version).await;
        client.publish(&device.topic(), &large).await;
        assert_eq!(client.ended().await, code);
    }
    let letter = platform.dead_letter("oversize").await;
    assert_eq!((letter.subject.as_str(), &letter.payload[..9]), (device.topic().as_str(), "{\"text\":\""));
    platform.wait_for_presence(&device, Disconnected, Some("packet_too_large")).await;
    assert_eq!(platform.raw().await, []);
    door.close().await;
}

#[tokio::test]
async fn unavailable_features_end_the_session_with_their_reason_code() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let topic = device.topic();
    let mut retained = publish_packet(Version::V5, &topic, GOOD.as_bytes(), 1, 1);
    retained[0] |= 1;
    // An empty topic with alias 1.
    let aliased = [0x30, 8, 0, 0, 3, 0x23, 0, 1, b'{', b'}'];
    for (bytes, code, reason) in
        [(&retained[..], 0x9a, "retain_not_supported"), (&aliased[..], 0x94, "topic_alias_invalid")]
    {
        let mut client = Client::connect(&door, &device, Version::V5).await;
        client.send(bytes).await;
        assert_eq!(client.ended().await, Some(code));
        platform.wait_for_presence(&device, Disconnected, Some(reason)).await;
    }
    assert_eq!(platform.raw().await, []);
    // An MQTT 3.1.1 client cannot know that nothing is retained.
    let mut three = Client::connect(&door, &device, Version::V3).await;
    three.send(&retained_of_version_3(&topic)).await;
    assert_eq!(three.receive_puback().await, (1, 0));
    assert_eq!(platform.raw_payloads().await, [GOOD]);
    door.close().await;
}

fn retained_of_version_3(topic: &str) -> bytes::BytesMut {
    let mut packet = publish_packet(Version::V3, topic, GOOD.as_bytes(), 1, 1);
    packet[0] |= 1;
    packet
}

#[tokio::test]
async fn a_device_over_its_rate_is_read_more_slowly_and_loses_nothing() {
    let platform = TestPlatform::new().await;
    let slow = |config: &mut ingest::Config| {
        config.limits.messages_per_second = 50;
        config.limits.message_burst = 10;
    };
    let (door, device) = (platform.door_with(slow).await, platform.device().await);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    let started = Instant::now();
    let mut bytes = Vec::new();
    for id in 1..=60 {
        bytes.extend(publish_packet(Version::V3, &device.topic(), GOOD.as_bytes(), 1, id));
    }
    client.send(&bytes).await;
    for id in 1..=60 {
        assert_eq!(client.receive_puback().await.0, id);
    }
    // 60 messages with a burst of 10 at 50 a second.
    assert!(started.elapsed() >= Duration::from_millis(950), "{:?}", started.elapsed());
    // A reconnect does not reset the rate limit.
    drop(client);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    let started = Instant::now();
    for _ in 0..11 {
        client.publish_acknowledged(&device.topic(), GOOD).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(20), "{:?}", started.elapsed());
    assert_eq!(eventually("all", || async { Some(platform.raw().await.len()).filter(|raw| *raw >= 71) }).await, 71);
    door.close().await;
}
