//! Parses PUBLISH (section 3.3 of both versions). It is the packet of the hot path, so its fields are slices of the
//! read buffer and nothing is copied.

use bytes::Bytes;
use rumqttc::v5::mqttbytes::v5::PublishProperties;

use super::frame::{Frame, VariableInteger, read_variable_integer};
use super::packet::{Malformed, Version};

/// A PUBLISH packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// QoS: 0, 1 or 2.
    pub qos: u8,
    /// Whether the message is to be retained.
    pub retain: bool,
    /// The packet identifier; 0 with QoS 0.
    pub packet_id: u16,
    /// The topic name; empty if an MQTT 5 topic alias replaces it.
    pub topic: Bytes,
    /// Whether an MQTT 5 topic alias was used.
    pub aliased: bool,
    /// The payload.
    pub payload: Bytes,
}

/// Parses a PUBLISH.
pub fn read(frame: &Frame, version: Version) -> Result<Publish, Malformed> {
    let (qos, retain) = ((frame.flags() >> 1) & 3, frame.flags() & 1 == 1);
    if qos == 3 {
        return Err(Malformed("QoS 3"));
    }
    let mut rest = frame.body();
    let topic_bytes = usize::from(take_u16(&mut rest)?);
    if topic_bytes > rest.len() {
        return Err(Malformed("topic longer than its packet"));
    }
    let topic = rest.split_to(topic_bytes);
    let packet_id = if qos == 0 { 0 } else { take_u16(&mut rest)? };
    if qos > 0 && packet_id == 0 {
        return Err(Malformed("packet identifier 0"));
    }
    let aliased = match version {
        Version::V3 => false,
        Version::V5 => take_properties(&mut rest)?,
    };
    Ok(Publish { qos, retain, packet_id, topic, aliased, payload: rest })
}

/// The head of a PUBLISH that is too large to be read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishHead<'a> {
    /// The topic name.
    pub topic: &'a [u8],
    /// The part of the payload that has arrived.
    pub payload: &'a [u8],
}

/// Parses the head of a PUBLISH from its first byte and what has arrived after the fixed header. Returns `None` if the
/// topic has not arrived completely.
pub fn read_head(first: u8, body: &[u8], version: Version) -> Option<PublishHead<'_>> {
    let (&[high, low], rest) = body.split_first_chunk::<2>()?;
    let (topic, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
    // QoS 0 messages have no packet identifier.
    let packet_id = if first & 0b0110 == 0 { 0 } else { 2 };
    let rest = rest.get(packet_id..).unwrap_or_default();
    let properties = match (version, read_variable_integer(rest)) {
        (Version::V5, VariableInteger::Value(length, digits)) => length + digits,
        _ => 0,
    };
    Some(PublishHead { topic, payload: rest.get(properties..).unwrap_or_default() })
}

/// Removes the MQTT 5 properties and returns whether they contain a topic alias.
fn take_properties(rest: &mut Bytes) -> Result<bool, Malformed> {
    // Fast path: most messages have no properties, encoded as one zero byte.
    if rest.first() == Some(&0) {
        let _ = rest.split_to(1);
        return Ok(false);
    }
    let VariableInteger::Value(length, digits) = read_variable_integer(rest) else {
        return Err(Malformed("property length"));
    };
    if digits + length > rest.len() {
        return Err(Malformed("properties longer than their packet"));
    }
    // Pass only the properties to the codec, so that a wrong length inside them cannot reach into the payload.
    let mut properties = rest.split_to(digits + length);
    let read = PublishProperties::read(&mut properties).map_err(|_| Malformed("properties"))?;
    let Some(read) = read else { return Ok(false) };
    if !read.subscription_identifiers.is_empty() {
        return Err(Malformed("a subscription identifier from a client"));
    }
    Ok(read.topic_alias.is_some())
}

fn take_u16(rest: &mut Bytes) -> Result<u16, Malformed> {
    if rest.len() < 2 {
        return Err(Malformed("a packet that ends too early"));
    }
    let bytes = rest.split_to(2);
    Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::frame::{Next, next};
    use bytes::BytesMut;
    use proptest::prelude::*;
    use rumqttc::mqttbytes::v4;
    use rumqttc::v5::mqttbytes::v5;

    fn framed(bytes: &[u8]) -> Frame {
        match next(&mut BytesMut::from(bytes), usize::MAX) {
            Next::Frame(frame) => frame,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_mqtt_3_publish_of_the_codec_is_read() {
        let mut packet = v4::Publish::new("a/b", rumqttc::mqttbytes::QoS::AtLeastOnce, "{}");
        packet.pkid = 7;
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes).unwrap();
        let read = read(&framed(&bytes), Version::V3).unwrap();
        assert_eq!((read.qos, read.packet_id, &read.topic[..], &read.payload[..]), (1, 7, &b"a/b"[..], &b"{}"[..]));
    }

    #[test]
    fn an_mqtt_5_publish_of_the_codec_is_read_with_and_without_properties() {
        let with = PublishProperties { topic_alias: Some(3), content_type: Some("json".into()), ..Default::default() };
        for (properties, aliased) in [(None, false), (Some(with), true)] {
            let mut packet = v5::Publish::new("a", rumqttc::v5::mqttbytes::QoS::AtMostOnce, "{\"m\":1}", properties);
            packet.retain = true;
            let mut bytes = BytesMut::new();
            packet.write(&mut bytes).unwrap();
            let read = read(&framed(&bytes), Version::V5).unwrap();
            assert_eq!((read.qos, read.retain, read.aliased, &read.payload[..]), (0, true, aliased, &b"{\"m\":1}"[..]));
        }
    }

    #[test]
    fn malformed_packets_are_refused() {
        for (bytes, version) in [
            (&[0x36, 5, 0, 1, b'a', 0, 1][..], Version::V3),
            (&[0x32, 5, 0, 1, b'a', 0, 0][..], Version::V3),
            (&[0x32, 4, 0, 1, b'a', 0][..], Version::V3),
            (&[0x30, 3, 0, 9, b'a'][..], Version::V3),
            (&[0x30, 1, 0][..], Version::V3),
            (&[0x30, 3, 0, 1, b'a'][..], Version::V5),
            (&[0x30, 5, 0, 1, b'a', 9, 1][..], Version::V5),
            // A subscription identifier, which only servers may send.
            (&[0x30, 6, 0, 1, b'a', 2, 11, 1][..], Version::V5),
            // A content type whose length reaches into the payload.
            (&[0x30, 9, 0, 1, b'a', 3, 3, 0, 2, b'{', b'}'][..], Version::V5),
        ] {
            assert!(read(&framed(bytes), version).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_topic_of_an_oversize_packet_is_found_once_it_has_arrived() {
        let read = |body| read_head(0x32, body, Version::V5);
        assert_eq!(read(&[0]), None);
        assert_eq!(read(&[0, 3, b'a', b'/']), None);
        let topic = &b"a/b"[..];
        assert_eq!(read(&[0, 3, b'a', b'/', b'b', 0]), Some(PublishHead { topic, payload: b"" }));
        let arrived = [0, 3, b'a', b'/', b'b', 0, 7, 2, 1, 1, b'{'];
        assert_eq!(read(&arrived), Some(PublishHead { topic, payload: b"{" }));
        let three = read_head(0x30, &[0, 1, b'a', b'{'], Version::V3);
        assert_eq!(three, Some(PublishHead { topic: b"a", payload: b"{" }));
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused_without_panic(
            first in 0x30u8..0x40, body in prop::collection::vec(any::<u8>(), 0..80), five in any::<bool>()
        ) {
            let mut bytes = vec![first, body.len() as u8];
            bytes.extend(body);
            let version = if five { Version::V5 } else { Version::V3 };
            let _ = read(&framed(&bytes), version);
        }
    }
}
