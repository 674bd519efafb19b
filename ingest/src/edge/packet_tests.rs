//! Tests that packets written by rumqttc's codec are parsed and malformed ones are refused.

use super::*;
use crate::edge::frame::{Next, next};
use bytes::BytesMut;
use proptest::prelude::*;

fn framed(bytes: &[u8]) -> Frame {
    match next(&mut BytesMut::from(bytes), usize::MAX) {
        Next::Frame(frame) => frame,
        other => panic!("{other:?}"),
    }
}

fn written(write: impl FnOnce(&mut BytesMut)) -> Frame {
    let mut bytes = BytesMut::new();
    write(&mut bytes);
    framed(&bytes)
}

#[test]
fn an_mqtt_3_connect_is_read_with_its_will() {
    let mut sent = v4::Connect::new("d-1");
    sent.keep_alive = 30;
    sent.last_will = Some(v4::LastWill::new("t", "gone", mqtt3::QoS::AtLeastOnce, true));
    let read = read_connect(&written(|out| assert!(sent.write(out).is_ok()))).unwrap();
    let will = Will { topic: "t".into(), payload: "gone".into(), qos: 1, retain: true };
    assert_eq!((read.version, read.client_id.as_str(), read.keep_alive_seconds), (Version::V3, "d-1", 30));
    assert_eq!(read.will, Some(will));
}

#[test]
fn an_mqtt_5_connect_is_read_with_the_features_it_requests() {
    let mut properties = v5::ConnectProperties::new();
    properties.session_expiry_interval = Some(60);
    properties.authentication_method = Some("SCRAM".into());
    let sent = v5::Connect { keep_alive: 5, client_id: "d-1".into(), clean_start: false, properties: Some(properties) };
    let read = read_connect(&written(|out| assert!(sent.write(&None, &None, out).is_ok()))).unwrap();
    assert_eq!((read.version, read.keep_alive_seconds, read.will), (Version::V5, 5, None));
    assert!(read.wants_stored_session && read.wants_authentication);
}

#[test]
fn a_connect_of_an_unsupported_level_is_refused() {
    let level_3 = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 3, 2, 0, 9, 0, 0];
    assert_eq!(read_connect(&framed(&level_3)), Err(NotConnect::Level(3)));
    let old_name = [0x10, 14, 0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3, 2, 0, 9, 0, 0];
    assert_eq!(read_connect(&framed(&old_name)), Err(NotConnect::Level(3)));
    let reserved = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 3, 0, 9, 0, 0];
    assert_eq!(read_connect(&framed(&reserved)), Err(NotConnect::Malformed));
    assert_eq!(read_connect(&framed(&[0xc0, 0])), Err(NotConnect::OtherPacket));
}

#[test]
fn subscriptions_are_read_in_both_versions() {
    let three = v4::Subscribe::new("a/#", mqtt3::QoS::AtLeastOnce);
    let frame = written(|out| assert!(v4::Subscribe { pkid: 4, ..three }.write(out).is_ok()));
    let expected = Packet::Subscribe { packet_id: 4, filters: vec![("a/#".into(), 1)] };
    assert_eq!(read_packet(&frame, Version::V3), Ok(expected.clone()));
    let five = v5::Subscribe::new(v5::Filter::new("a/#", rumqttc::v5::mqttbytes::QoS::AtLeastOnce), None);
    let frame = written(|out| assert!(v5::Subscribe { pkid: 4, ..five }.write(out).is_ok()));
    assert_eq!(read_packet(&frame, Version::V5), Ok(expected));
    let frame = written(|out| assert!(v4::Unsubscribe { pkid: 5, topics: vec!["a".into()] }.write(out).is_ok()));
    assert_eq!(read_packet(&frame, Version::V3), Ok(Packet::Unsubscribe { packet_id: 5, filters: vec!["a".into()] }));
}

#[test]
fn a_release_names_a_message() {
    for version in [Version::V3, Version::V5] {
        let read = |bytes: &[u8]| read_packet(&framed(bytes), version);
        assert_eq!(read(&[0x62, 2, 1, 2]), Ok(Packet::Release { packet_id: 258 }));
        assert_eq!(read(&[0x62, 4, 0, 7, 0, 0]), Ok(Packet::Release { packet_id: 7 }));
        for bytes in [&[0x60, 2, 0, 7][..], &[0x62, 2, 0, 0], &[0x62, 1, 7], &[0x62, 0]] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }
}

#[test]
fn a_disconnect_may_request_the_will() {
    for (bytes, version, with_will) in [
        (&[0xe0, 0][..], Version::V3, false),
        (&[0xe0, 0][..], Version::V5, false),
        (&[0xe0, 1, 0][..], Version::V5, false),
        (&[0xe0, 2, 4, 0][..], Version::V5, true),
    ] {
        assert_eq!(read_packet(&framed(bytes), version), Ok(Packet::Disconnect { with_will }));
    }
}

#[test]
fn packets_that_only_servers_send_are_unexpected() {
    for first in [0x10, 0x20, 0x40, 0x50, 0x70, 0x90, 0xb0, 0xd0, 0xf0] {
        assert_eq!(read_packet(&framed(&[first, 2, 0, 1]), Version::V5), Ok(Packet::Unexpected), "{first:x}");
    }
    assert!(read_packet(&framed(&[0x80, 6, 0, 1, 0, 1, b'a', 0]), Version::V3).is_err());
    assert!(read_packet(&framed(&[0xa2, 2, 0, 1]), Version::V3).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(
        first in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..100), five in any::<bool>()
    ) {
        let mut bytes = vec![first, body.len() as u8];
        bytes.extend(body);
        let frame = framed(&bytes);
        let _ = read_packet(&frame, if five { Version::V5 } else { Version::V3 });
    }

    #[test]
    fn any_connect_is_read_or_refused_without_panic(
        level in 4u8..6, flags in any::<u8>(), rest in prop::collection::vec(any::<u8>(), 0..100)
    ) {
        let mut bytes = vec![0x10, rest.len() as u8 + 8, 0, 4, b'M', b'Q', b'T', b'T', level, flags];
        bytes.extend(rest);
        let _ = read_connect(&framed(&bytes));
    }
}
