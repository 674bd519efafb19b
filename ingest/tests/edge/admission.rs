//! Admission at the edge: which devices may connect, and how refusals are reported.

use std::time::Duration;

use certs::RootAuthority;
use domain::telemetry::PresenceKind::{Connected, ConnectionRefused};

use crate::mqtt_client::{
    BOTH_VERSIONS, Client, ConnectOptions, Version, connect_packet, is_refused_in_handshake, tls, tls_of,
};
use crate::test_platform::{Device, TestPlatform, eventually, new_id, now};

/// Connects and returns the return code of the CONNACK.
async fn code(platform: &TestPlatform, door: &crate::test_platform::Door, device: &Device, version: Version) -> u8 {
    let mut client = Client::handshake(door, device, version).await;
    let answer = client.send_connect(device, ConnectOptions::default()).await;
    assert_eq!(answer.first, 0x20);
    if answer.body[1] != 0 {
        assert_eq!(client.ended().await, None);
        let facts = platform.presence_of(device).await;
        assert!(!facts.iter().any(|(kind, _)| *kind == Connected), "{facts:?}");
    }
    answer.body[1]
}

#[tokio::test]
async fn a_connack_announces_no_stored_session_and_the_limits() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut three = Client::handshake(&door, &device, Version::V3).await;
    assert_eq!(three.send_connect(&device, ConnectOptions::default()).await.body, [0, 0]);
    drop(three);
    let mut five = Client::handshake(&door, &device, Version::V5).await;
    let answer = five.send_connect(&device, ConnectOptions::default()).await;
    let properties = &answer.body[3..];
    assert_eq!(answer.body[..2], [0, 0]);
    // Receive maximum 64, no retained messages, packets up to 256 KiB, no topic aliases.
    for expected in [&[0x21, 0, 64][..], &[0x25, 0], &[0x27, 0, 4, 0, 0], &[0x22, 0, 0]] {
        assert!(properties.windows(expected.len()).any(|window| window == expected), "{expected:?} in {properties:?}");
    }
    // Without a maximum QoS, QoS 2 is offered.
    assert!(!properties.contains(&0x24), "{properties:?}");
    platform.wait_for_presence(&device, Connected, None).await;
    door.close().await;
}

#[tokio::test]
async fn a_device_that_sends_its_certificate_without_the_ca_is_admitted() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    // After a connection the door certainly knows the organisation's CA.
    drop(Client::connect(&door, &device, Version::V3).await);
    let key = device.issued.private_key_pem.as_ref().unwrap().expose();
    let stream = tls(&door, Some((&device.issued.certificate_pem, key))).await.unwrap();
    let mut client = Client::over(stream, Version::V3);
    assert_eq!(client.send_connect(&device, ConnectOptions::default()).await.body, [0, 0]);
    door.close().await;
}

#[tokio::test]
async fn without_a_certificate_the_handshake_fails() {
    let platform = TestPlatform::new().await;
    let door = platform.door().await;
    assert!(is_refused_in_handshake(tls(&door, None).await).await);
    eventually("a presence fact", || async {
        let facts = platform.presence().await;
        facts
            .into_iter()
            .find(|fact| fact.kind == ConnectionRefused && fact.reason.as_deref() == Some("no_certificate"))
    })
    .await;
    door.close().await;
}

#[tokio::test]
async fn a_certificate_of_a_foreign_ca_fails_in_the_handshake() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let foreign = RootAuthority::create("Foreign", now()).unwrap();
    let authority = foreign.issue_organization_authority(device.organization, now()).unwrap();
    let forged = Device { issued: authority.issue_device(device.id, 30, now()).unwrap(), ..device };
    assert!(is_refused_in_handshake(tls_of(&door, &forged).await).await);
    platform.wait_for_presence(&forged, ConnectionRefused, Some("foreign_authority")).await;
    door.close().await;
}

#[tokio::test]
async fn a_sibling_ca_with_this_organisations_name_is_refused_at_connect() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    let sibling = platform.root.issue_organization_authority(device.organization, now()).unwrap();
    let forged = Device { issued: sibling.issue_device(device.id, 30, now()).unwrap(), ..device };
    assert_eq!(code(&platform, &door, &forged, Version::V5).await, 0x87);
    platform.wait_for_presence(&forged, ConnectionRefused, Some("foreign_authority")).await;
    door.close().await;
}

#[tokio::test]
async fn an_expired_certificate_fails_in_the_handshake() {
    let platform = TestPlatform::new().await;
    let door = platform.door().await;
    let device = platform.unregistered(30, now() - chrono::Duration::days(40));
    platform.register(&device).await;
    platform.record_certificate(&device).await;
    assert!(is_refused_in_handshake(tls_of(&door, &device).await).await);
    platform.wait_for_presence(&device, ConnectionRefused, Some("expired")).await;
    door.close().await;
}

#[tokio::test]
async fn a_revoked_certificate_fails_in_the_handshake() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    drop(Client::connect(&door, &device, Version::V3).await);
    platform.revoke(&device).await;
    // Until the revocation has reached the directory, the handshake may succeed and the CONNECT be refused.
    eventually("a refusal in the handshake", || async {
        is_refused_in_handshake(tls_of(&door, &device).await).await.then_some(())
    })
    .await;
    platform.wait_for_presence(&device, ConnectionRefused, Some("revoked")).await;
    door.close().await;
}

#[tokio::test]
async fn a_device_unknown_to_the_log_is_refused() {
    let platform = TestPlatform::new().await;
    let door = platform.door().await;
    let unissued = platform.unregistered(30, now());
    platform.register(&unissued).await;
    let unregistered = platform.unregistered(30, now());
    platform.record_certificate(&unregistered).await;
    for (device, reason) in [(&unissued, "unknown_certificate"), (&unregistered, "unknown_device")] {
        assert_eq!(code(&platform, &door, device, Version::V5).await, 0x87);
        assert_eq!(code(&platform, &door, device, Version::V3).await, 5);
        platform.wait_for_presence(device, ConnectionRefused, Some(reason)).await;
    }
    door.close().await;
}

#[tokio::test]
async fn a_device_registered_a_moment_ago_is_admitted_at_once() {
    let platform = TestPlatform::new().await;
    let door = platform.door().await;
    for version in BOTH_VERSIONS {
        for _ in 0..5 {
            let device = platform.device().await;
            Client::connect(&door, &device, version).await;
        }
    }
    door.close().await;
}

#[tokio::test]
async fn a_device_of_an_unknown_organisation_is_refused() {
    let platform = TestPlatform::new().await;
    let door = platform.door().await;
    let organization = new_id();
    let authority = platform.root.issue_organization_authority(organization, now()).unwrap();
    let id = new_id();
    let device =
        Device { organization, id, certificate_id: new_id(), issued: authority.issue_device(id, 30, now()).unwrap() };
    platform.register(&device).await;
    assert_eq!(code(&platform, &door, &device, Version::V5).await, 0x87);
    platform.wait_for_presence(&device, ConnectionRefused, Some("unknown_organization")).await;
    door.close().await;
}

#[tokio::test]
async fn decommissioned_devices_and_those_of_a_suspended_organisation_are_refused() {
    let platform = TestPlatform::new().await;
    let (door, gone, other) = (platform.door().await, platform.device().await, platform.device().await);
    platform.decommission(&gone).await;
    eventually("a refusal", || async { (code(&platform, &door, &gone, Version::V5).await == 0x87).then_some(()) })
        .await;
    platform.wait_for_presence(&gone, ConnectionRefused, Some("decommissioned")).await;
    platform.suspend().await;
    let refused = || async {
        let mut client = Client::handshake(&door, &other, Version::V3).await;
        (client.send_connect(&other, ConnectOptions::default()).await.body == [0, 5]).then_some(())
    };
    eventually("a refusal", refused).await;
    platform.wait_for_presence(&other, ConnectionRefused, Some("organization_suspended")).await;
    door.close().await;
}

#[tokio::test]
async fn a_client_id_other_than_the_device_id_is_refused() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    for (version, expected) in [(Version::V3, 2), (Version::V5, 0x85)] {
        for client_id in ["", "pump-7"] {
            let options = ConnectOptions { client_id: Some(client_id.into()), ..ConnectOptions::default() };
            let mut client = Client::handshake(&door, &device, version).await;
            assert_eq!(client.send_connect(&device, options).await.body[1], expected);
        }
    }
    platform.wait_for_presence(&device, ConnectionRefused, Some("wrong_client_id")).await;
    door.close().await;
}

#[tokio::test]
async fn a_door_behind_the_log_refuses_every_device() {
    let platform = TestPlatform::new().await;
    let door = platform.door_with(|config| config.limits.max_directory_lag = Duration::ZERO).await;
    let device = platform.device().await;
    assert_eq!(code(&platform, &door, &device, Version::V5).await, 0x88);
    assert_eq!(code(&platform, &door, &device, Version::V3).await, 3);
    door.close().await;
}

#[tokio::test]
async fn other_protocol_levels_and_other_first_packets_are_refused() {
    let platform = TestPlatform::new().await;
    let (door, device) = (platform.door().await, platform.device().await);
    // Level 3 under the name of later versions, and under its own.
    for old in [&b"\x10\x0c\0\x04MQTT\x03\x02\0\x09\0\0"[..], b"\x10\x0e\0\x06MQIsdp\x03\x02\0\x09\0\0"] {
        let mut client = Client::handshake(&door, &device, Version::V3).await;
        client.send(old).await;
        assert_eq!(client.receive().await.body, [0, 1]);
    }
    platform.wait_for_presence(&device, ConnectionRefused, Some("protocol_version")).await;
    for bytes in [&[0xc0, 0][..], b"GET / HTTP/1.1\r\n\r\n", &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff]] {
        let mut client = Client::handshake(&door, &device, Version::V3).await;
        client.send(bytes).await;
        assert_eq!(client.next(Duration::from_secs(5)).await, None);
        assert_eq!(client.ended().await, None);
    }
    platform.wait_for_presence(&device, ConnectionRefused, Some("not_connect")).await;
    door.close().await;
}

#[tokio::test]
async fn a_connection_without_handshake_or_connect_in_time_is_closed() {
    let platform = TestPlatform::new().await;
    let door = platform.door_with(|config| config.limits.connect_timeout = Duration::from_millis(300)).await;
    let device = platform.device().await;
    let mut silent = tokio::net::TcpStream::connect(door.address).await.unwrap();
    let mut bytes = [0; 8];
    let read = tokio::io::AsyncReadExt::read(&mut silent, &mut bytes);
    assert!(matches!(tokio::time::timeout(Duration::from_secs(5), read).await, Ok(Ok(0) | Err(_))));
    let mut halfway = Client::handshake(&door, &device, Version::V3).await;
    let connect = connect_packet(&device, Version::V3, ConnectOptions::default());
    halfway.send(&connect[..connect.len() - 1]).await;
    assert_eq!(halfway.ended().await, None);
    platform.wait_for_presence(&device, ConnectionRefused, Some("connect_timeout")).await;
    door.close().await;
}

#[tokio::test]
async fn connections_above_the_limit_are_closed_until_another_ends() {
    let platform = TestPlatform::new().await;
    let door = platform.door_with(|config| config.limits.max_connections = 1).await;
    let (first, second) = (platform.device().await, platform.device().await);
    let client = Client::connect(&door, &first, Version::V3).await;
    assert!(is_refused_in_handshake(tls_of(&door, &second).await).await);
    drop(client);
    let admitted = || async {
        let mut stream = tls_of(&door, &second).await.ok()?;
        let connect = connect_packet(&second, Version::V3, ConnectOptions::default());
        tokio::io::AsyncWriteExt::write_all(&mut stream, &connect).await.ok()?;
        let mut answer = [0; 4];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.ok()?;
        (answer == [0x20, 2, 0, 0]).then_some(())
    };
    eventually("a free connection", admitted).await;
    door.close().await;
}
