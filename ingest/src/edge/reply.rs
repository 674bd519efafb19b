//! Encodes the edge's packets. They are appended to one buffer, so that answers are sent together. Most have few and
//! fixed bytes and are encoded here; rumqttc's codec encodes the CONNACK with its many properties.

use bytes::{BufMut, BytesMut};
use rumqttc::v5::mqttbytes::v5::{ConnAck, ConnAckProperties, ConnectReturnCode};

use super::packet::{Connect, Version};

/// Limits that an MQTT 5 CONNACK announces.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Receive maximum.
    pub receive_maximum: u16,
    /// Maximum packet size in bytes.
    pub max_packet_bytes: u32,
}

/// Writes an accepting CONNACK. Sessions are never stored, so session present is 0.
pub fn connack_accept(out: &mut BytesMut, connect: &Connect, server_limits: ServerLimits) {
    if connect.version == Version::V3 {
        return out.put_slice(&[0x20, 2, 0, 0]);
    }
    let properties = ConnAckProperties {
        // Only allowed if the client requested another expiry (3.2.2.3.2).
        session_expiry_interval: connect.wants_stored_session.then_some(0),
        receive_max: Some(server_limits.receive_maximum),
        retain_available: Some(0),
        max_packet_size: Some(server_limits.max_packet_bytes),
        topic_alias_max: Some(0),
        wildcard_subscription_available: Some(0),
        subscription_identifiers_available: Some(0),
        shared_subscription_available: Some(0),
        ..empty_properties()
    };
    let connack = ConnAck { session_present: false, code: ConnectReturnCode::Success, properties: Some(properties) };
    // Encoding fails only for packets above 256 MB.
    let _ = connack.write(out);
}

/// Why a CONNECT is refused; maps to the codes of both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectRefusal {
    /// The protocol level is not supported.
    Version,
    /// The client id differs from the device id.
    ClientId,
    /// The directory is out of date, or the edge is stopping.
    Unavailable,
    /// The device is not authorised.
    NotAuthorized,
    /// An authentication exchange was requested.
    AuthenticationMethod,
    /// A retained will.
    WillRetain,
}

/// Writes a refusing CONNACK (3.2.2.3 of 3.1.1, 3.2.2.2 of 5).
pub fn connack_refuse(out: &mut BytesMut, version: Version, why: ConnectRefusal) {
    let (three, five) = match why {
        ConnectRefusal::Version => (1, 0x84),
        ConnectRefusal::ClientId => (2, 0x85),
        ConnectRefusal::Unavailable => (3, 0x88),
        ConnectRefusal::NotAuthorized => (5, 0x87),
        ConnectRefusal::AuthenticationMethod => (5, 0x8c),
        ConnectRefusal::WillRetain => (5, 0x9a),
    };
    match version {
        Version::V3 => out.put_slice(&[0x20, 2, 0, three]),
        Version::V5 => out.put_slice(&[0x20, 3, 0, five, 0]),
    }
}

/// An acknowledgement with a packet identifier: the first byte of its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ack {
    /// Of a QoS 1 message.
    Puback = 0x40,
    /// Of a QoS 2 message.
    Pubrec = 0x50,
    /// Of a PUBREL.
    Pubcomp = 0x70,
}

/// Writes an acknowledgement; only MQTT 5 carries a reason code.
pub fn acknowledge(out: &mut BytesMut, kind: Ack, version: Version, packet_id: u16, code: u8) {
    let [high, low] = packet_id.to_be_bytes();
    match (version, code) {
        (Version::V3, _) | (_, 0) => out.put_slice(&[kind as u8, 2, high, low]),
        (Version::V5, code) => out.put_slice(&[kind as u8, 3, high, low, code]),
    }
}

/// Writes a SUBACK with one code for each filter.
pub fn suback(out: &mut BytesMut, version: Version, packet_id: u16, codes: &[u8]) {
    acknowledge_filters(out, 0x90, version, packet_id, codes);
}

/// Writes an UNSUBACK; only MQTT 5 carries one code for each filter.
pub fn unsuback(out: &mut BytesMut, version: Version, packet_id: u16, codes: &[u8]) {
    let codes = if version == Version::V3 { &[] } else { codes };
    acknowledge_filters(out, 0xb0, version, packet_id, codes);
}

/// Writes a PINGRESP.
pub fn pingresp(out: &mut BytesMut) {
    out.put_slice(&[0xd0, 0]);
}

/// Writes a DISCONNECT with its reason; only MQTT 5 servers send one.
pub fn disconnect(out: &mut BytesMut, version: Version, code: u8) {
    if version == Version::V5 {
        // The standard allows omitting empty properties, but some clients' codecs require them.
        out.put_slice(&[0xe0, 2, code, 0]);
    }
}

fn acknowledge_filters(out: &mut BytesMut, first: u8, version: Version, packet_id: u16, codes: &[u8]) {
    let properties = usize::from(version == Version::V5);
    out.put_u8(first);
    put_length(out, 2 + properties + codes.len());
    out.put_u16(packet_id);
    out.put_bytes(0, properties);
    out.put_slice(codes);
}

fn put_length(out: &mut BytesMut, mut length: usize) {
    while length > 0x7f {
        out.put_u8((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.put_u8(length as u8);
}

fn empty_properties() -> ConnAckProperties {
    ConnAckProperties {
        session_expiry_interval: None,
        receive_max: None,
        max_qos: None,
        retain_available: None,
        max_packet_size: None,
        assigned_client_identifier: None,
        topic_alias_max: None,
        reason_string: None,
        user_properties: Vec::new(),
        wildcard_subscription_available: None,
        subscription_identifiers_available: None,
        shared_subscription_available: None,
        server_keep_alive: None,
        response_information: None,
        server_reference: None,
        authentication_method: None,
        authentication_data: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::mqttbytes::v4;
    use rumqttc::v5::mqttbytes::v5;

    fn written(write: impl FnOnce(&mut BytesMut)) -> BytesMut {
        let mut out = BytesMut::new();
        write(&mut out);
        out
    }

    fn five(mut bytes: BytesMut) -> v5::Packet {
        let packet = v5::Packet::read(&mut bytes, None).unwrap();
        assert!(bytes.is_empty());
        packet
    }

    #[test]
    fn an_accepting_connack_announces_what_is_not_offered() {
        let connect = Connect {
            version: Version::V5,
            client_id: String::new(),
            keep_alive_seconds: 0,
            will: None,
            wants_stored_session: true,
            wants_authentication: false,
        };
        let server_limits = ServerLimits { receive_maximum: 64, max_packet_bytes: 1_000 };
        let v5::Packet::ConnAck(connack) = five(written(|out| connack_accept(out, &connect, server_limits))) else {
            panic!()
        };
        let properties = connack.properties.unwrap();
        assert!(!connack.session_present);
        // An absent maximum QoS means QoS 2.
        assert_eq!(
            (properties.receive_max, properties.max_qos, properties.retain_available),
            (Some(64), None, Some(0))
        );
        assert_eq!((properties.max_packet_size, properties.session_expiry_interval), (Some(1_000), Some(0)));
        assert_eq!((properties.topic_alias_max, properties.assigned_client_identifier), (Some(0), None));
        let three = Connect { version: Version::V3, ..connect };
        assert_eq!(written(|out| connack_accept(out, &three, server_limits))[..], [0x20, 2, 0, 0]);
    }

    #[test]
    fn acknowledgements_are_read_back_by_the_codec() {
        let expected = v5::PubAck { pkid: 258, reason: v5::PubAckReason::NotAuthorized, properties: None };
        let ack = |kind, version, code| written(|out| acknowledge(out, kind, version, 258, code));
        assert_eq!(five(ack(Ack::Puback, Version::V5, 0x87)), v5::Packet::PubAck(expected));
        assert_eq!(ack(Ack::Puback, Version::V3, 0x87)[..], [0x40, 2, 1, 2]);
        assert_eq!(ack(Ack::Puback, Version::V5, 0)[..], [0x40, 2, 1, 2]);
        let expected = v5::PubRec { pkid: 258, reason: v5::PubRecReason::PayloadFormatInvalid, properties: None };
        assert_eq!(five(ack(Ack::Pubrec, Version::V5, 0x99)), v5::Packet::PubRec(expected));
        let expected = v5::PubComp { pkid: 258, reason: v5::PubCompReason::PacketIdentifierNotFound, properties: None };
        assert_eq!(five(ack(Ack::Pubcomp, Version::V5, 0x92)), v5::Packet::PubComp(expected));
        let v5::Packet::SubAck(ack) = five(written(|out| suback(out, Version::V5, 9, &[1, 0x87]))) else { panic!() };
        let codes = [
            v5::SubscribeReasonCode::Success(rumqttc::v5::mqttbytes::QoS::AtLeastOnce),
            v5::SubscribeReasonCode::NotAuthorized,
        ];
        assert_eq!((ack.pkid, &ack.return_codes[..]), (9, &codes[..]));
        let mut three = written(|out| suback(out, Version::V3, 9, &[1, 0x80]));
        let v4::Packet::SubAck(ack) = v4::Packet::read(&mut three, 100).unwrap() else { panic!() };
        assert_eq!(ack.return_codes[1], v4::SubscribeReasonCode::Failure);
        assert_eq!(written(|out| unsuback(out, Version::V3, 9, &[0]))[..], [0xb0, 2, 0, 9]);
        assert_eq!(written(|out| unsuback(out, Version::V5, 9, &[0x11]))[..], [0xb0, 4, 0, 9, 0, 0x11]);
    }

    #[test]
    fn a_suback_over_127_bytes_has_a_two_byte_length() {
        let codes = vec![0x87; 300];
        let out = written(|out| suback(out, Version::V5, 1, &codes));
        assert_eq!(&out[..3], &[0x90, 0xaf, 0x02]);
        assert_eq!(out.len(), 3 + 303);
    }

    #[test]
    fn only_mqtt_5_clients_receive_a_disconnect() {
        assert!(written(|out| disconnect(out, Version::V3, 0x95)).is_empty());
        assert_eq!(written(|out| disconnect(out, Version::V5, 0x95))[..], [0xe0, 2, 0x95, 0]);
    }
}
