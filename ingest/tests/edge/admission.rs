//! Who is let in and who is turned away, and what is told of it.

use std::time::Duration;

use certs::RootAuthority;
use domain::telemetry::PresenceKind::{Connected, ConnectionRefused};

use crate::client::{Ask, BOTH, Client, Version, connect_octets, is_turned_away, tls, tls_of};
use crate::world::{Device, World, eventually, new_id, now};

/// Connects and returns the code of the CONNACK.
async fn code(world: &World, door: &crate::world::Door, device: &Device, version: Version) -> u8 {
    let mut client = Client::shake(door, device, version).await;
    let answer = client.ask(device, Ask::default()).await;
    assert_eq!(answer.first, 0x20);
    if answer.body[1] != 0 {
        assert_eq!(client.ended().await, None);
        let facts = world.presence_of(device).await;
        assert!(!facts.iter().any(|(kind, _)| *kind == Connected), "{facts:?}");
    }
    answer.body[1]
}

#[tokio::test]
async fn a_device_is_let_in_without_a_stored_session_and_told_the_limits() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let mut three = Client::shake(&door, &device, Version::V3).await;
    assert_eq!(three.ask(&device, Ask::default()).await.body, [0, 0]);
    drop(three);
    let mut five = Client::shake(&door, &device, Version::V5).await;
    let answer = five.ask(&device, Ask::default()).await;
    let properties = &answer.body[3..];
    assert_eq!(answer.body[..2], [0, 0]);
    // Receive maximum 64, maximum QoS 1, no retained messages, packets up to 256 KiB, no topic aliases.
    for expected in [&[0x21, 0, 64][..], &[0x24, 1], &[0x25, 0], &[0x27, 0, 4, 0, 0], &[0x22, 0, 0]] {
        assert!(properties.windows(expected.len()).any(|window| window == expected), "{expected:?} in {properties:?}");
    }
    world.told(&device, Connected, None).await;
    door.close().await;
}

#[tokio::test]
async fn a_device_that_sends_its_certificate_without_the_ca_is_let_in() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    // Once it has connected, the door surely knows its organisation.
    drop(Client::connect(&door, &device, Version::V3).await);
    let key = device.issued.private_key_pem.as_ref().unwrap().expose();
    let stream = tls(&door, Some((&device.issued.certificate_pem, key))).await.unwrap();
    let mut client = Client::over(stream, Version::V3);
    assert_eq!(client.ask(&device, Ask::default()).await.body, [0, 0]);
    door.close().await;
}

#[tokio::test]
async fn without_a_certificate_the_handshake_fails() {
    let world = World::new().await;
    let door = world.door().await;
    assert!(is_turned_away(tls(&door, None).await).await);
    eventually("a fact", || async {
        let facts = world.presence().await;
        facts
            .into_iter()
            .find(|fact| fact.kind == ConnectionRefused && fact.reason.as_deref() == Some("no_certificate"))
    })
    .await;
    door.close().await;
}

#[tokio::test]
async fn a_certificate_of_a_foreign_ca_fails_in_the_handshake() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let foreign = RootAuthority::create("Foreign", now()).unwrap();
    let authority = foreign.issue_organization_authority(device.organization, now()).unwrap();
    let forged = Device { issued: authority.issue_device(device.id, 30, now()).unwrap(), ..device };
    assert!(is_turned_away(tls_of(&door, &forged).await).await);
    world.told(&forged, ConnectionRefused, Some("foreign_authority")).await;
    door.close().await;
}

#[tokio::test]
async fn a_sibling_ca_with_this_organisations_name_is_refused_at_connect() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let sibling = world.root.issue_organization_authority(device.organization, now()).unwrap();
    let forged = Device { issued: sibling.issue_device(device.id, 30, now()).unwrap(), ..device };
    assert_eq!(code(&world, &door, &forged, Version::V5).await, 0x87);
    world.told(&forged, ConnectionRefused, Some("foreign_authority")).await;
    door.close().await;
}

#[tokio::test]
async fn an_expired_certificate_fails_in_the_handshake() {
    let world = World::new().await;
    let door = world.door().await;
    let device = world.unregistered(30, now() - chrono::Duration::days(40));
    world.register(&device).await;
    world.note_certificate(&device).await;
    assert!(is_turned_away(tls_of(&door, &device).await).await);
    world.told(&device, ConnectionRefused, Some("expired")).await;
    door.close().await;
}

#[tokio::test]
async fn a_revoked_certificate_fails_in_the_handshake() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    drop(Client::connect(&door, &device, Version::V3).await);
    world.revoke(&device).await;
    // The revocation takes its way through the log; until then the handshake may pass and the CONNECT fail.
    eventually("a refusal in the handshake", || async {
        is_turned_away(tls_of(&door, &device).await).await.then_some(())
    })
    .await;
    world.told(&device, ConnectionRefused, Some("revoked")).await;
    door.close().await;
}

#[tokio::test]
async fn a_device_the_log_does_not_know_is_refused() {
    let world = World::new().await;
    let door = world.door().await;
    let unissued = world.unregistered(30, now());
    world.register(&unissued).await;
    let unregistered = world.unregistered(30, now());
    world.note_certificate(&unregistered).await;
    for (device, reason) in [(&unissued, "unknown_certificate"), (&unregistered, "unknown_device")] {
        assert_eq!(code(&world, &door, device, Version::V5).await, 0x87);
        assert_eq!(code(&world, &door, device, Version::V3).await, 5);
        world.told(device, ConnectionRefused, Some(reason)).await;
    }
    door.close().await;
}

#[tokio::test]
async fn a_device_that_the_log_has_just_learned_of_is_let_in_at_once() {
    let world = World::new().await;
    let door = world.door().await;
    for version in BOTH {
        for _ in 0..5 {
            let device = world.device().await;
            Client::connect(&door, &device, version).await;
        }
    }
    door.close().await;
}

#[tokio::test]
async fn a_device_of_an_unknown_organisation_is_refused() {
    let world = World::new().await;
    let door = world.door().await;
    let organization = new_id();
    let authority = world.root.issue_organization_authority(organization, now()).unwrap();
    let id = new_id();
    let device =
        Device { organization, id, certificate_id: new_id(), issued: authority.issue_device(id, 30, now()).unwrap() };
    world.register(&device).await;
    assert_eq!(code(&world, &door, &device, Version::V5).await, 0x87);
    world.told(&device, ConnectionRefused, Some("unknown_organization")).await;
    door.close().await;
}

#[tokio::test]
async fn decommissioned_devices_and_those_of_a_suspended_organisation_are_refused() {
    let world = World::new().await;
    let (door, gone, other) = (world.door().await, world.device().await, world.device().await);
    world.decommission(&gone).await;
    eventually("a refusal", || async { (code(&world, &door, &gone, Version::V5).await == 0x87).then_some(()) }).await;
    world.told(&gone, ConnectionRefused, Some("decommissioned")).await;
    world.suspend().await;
    let refused = || async {
        let mut client = Client::shake(&door, &other, Version::V3).await;
        (client.ask(&other, Ask::default()).await.body == [0, 5]).then_some(())
    };
    eventually("a refusal", refused).await;
    world.told(&other, ConnectionRefused, Some("organization_suspended")).await;
    door.close().await;
}

#[tokio::test]
async fn a_client_id_other_than_the_device_id_is_refused() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    for (version, expected) in [(Version::V3, 2), (Version::V5, 0x85)] {
        for client_id in ["", "pump-7"] {
            let ask = Ask { client_id: Some(client_id.into()), ..Ask::default() };
            let mut client = Client::shake(&door, &device, version).await;
            assert_eq!(client.ask(&device, ask).await.body[1], expected);
        }
    }
    world.told(&device, ConnectionRefused, Some("wrong_client_id")).await;
    door.close().await;
}

#[tokio::test]
async fn a_door_that_is_behind_the_log_lets_nobody_in() {
    let world = World::new().await;
    let door = world.door_with(|config| config.limits.max_directory_lag = Duration::ZERO).await;
    let device = world.device().await;
    assert_eq!(code(&world, &door, &device, Version::V5).await, 0x88);
    assert_eq!(code(&world, &door, &device, Version::V3).await, 3);
    door.close().await;
}

#[tokio::test]
async fn other_protocol_levels_and_other_first_packets_are_turned_away() {
    let world = World::new().await;
    let (door, device) = (world.door().await, world.device().await);
    let mut old = Client::shake(&door, &device, Version::V3).await;
    old.send(&[0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 3, 2, 0, 9, 0, 0]).await;
    assert_eq!(old.receive().await.body, [0, 1]);
    for octets in [&[0xc0, 0][..], b"GET / HTTP/1.1\r\n\r\n", &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff]] {
        let mut client = Client::shake(&door, &device, Version::V3).await;
        client.send(octets).await;
        assert_eq!(client.next(Duration::from_secs(5)).await, None);
        assert_eq!(client.ended().await, None);
    }
    door.close().await;
}

#[tokio::test]
async fn who_does_not_shake_hands_or_connect_in_time_is_closed() {
    let world = World::new().await;
    let door = world.door_with(|config| config.limits.connect_timeout = Duration::from_millis(300)).await;
    let device = world.device().await;
    let mut silent = tokio::net::TcpStream::connect(door.address).await.unwrap();
    let mut octets = [0; 8];
    let read = tokio::io::AsyncReadExt::read(&mut silent, &mut octets);
    assert!(matches!(tokio::time::timeout(Duration::from_secs(5), read).await, Ok(Ok(0) | Err(_))));
    let mut halfway = Client::shake(&door, &device, Version::V3).await;
    let connect = connect_octets(&device, Version::V3, Ask::default());
    halfway.send(&connect[..connect.len() - 1]).await;
    assert_eq!(halfway.ended().await, None);
    door.close().await;
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_room_is_given_back() {
    let world = World::new().await;
    let door = world.door_with(|config| config.limits.max_connections = 1).await;
    let (first, second) = (world.device().await, world.device().await);
    let client = Client::connect(&door, &first, Version::V3).await;
    assert!(is_turned_away(tls_of(&door, &second).await).await);
    drop(client);
    let let_in = || async {
        let mut stream = tls_of(&door, &second).await.ok()?;
        let connect = connect_octets(&second, Version::V3, Ask::default());
        tokio::io::AsyncWriteExt::write_all(&mut stream, &connect).await.ok()?;
        let mut answer = [0; 4];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.ok()?;
        (answer == [0x20, 2, 0, 0]).then_some(())
    };
    eventually("room", let_in).await;
    door.close().await;
}
