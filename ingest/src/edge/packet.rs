//! Parses every packet that devices send except PUBLISH, with rumqttc's codec, into one form for both protocol
//! versions.

use bytes::Bytes;
use rumqttc::mqttbytes::{self as mqtt3, v4};
use rumqttc::v5::mqttbytes::v5;

use super::frame::Frame;

/// The protocol version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1 (protocol level 4).
    V3,
    /// MQTT 5 (protocol level 5).
    V5,
}

/// What is wrong with a packet, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// A CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The client's version.
    pub version: Version,
    /// The client id.
    pub client_id: String,
    /// The promised keep-alive interval in seconds; 0 for none.
    pub keep_alive_seconds: u16,
    /// The message to publish if the session ends without a DISCONNECT.
    pub will: Option<Will>,
    /// MQTT 5: the client requests a session that outlives the connection.
    pub wants_stored_session: bool,
    /// MQTT 5: the client requests an authentication exchange.
    pub wants_authentication: bool,
}

/// A will message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Its topic.
    pub topic: Bytes,
    /// Its payload.
    pub payload: Bytes,
    /// Its QoS.
    pub qos: u8,
    /// Whether it is to be retained.
    pub retain: bool,
}

/// A packet that a connected device may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// SUBSCRIBE.
    Subscribe {
        /// The packet identifier.
        packet_id: u16,
        /// Topic filters with the requested QoS.
        filters: Vec<(String, u8)>,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// The packet identifier.
        packet_id: u16,
        /// The topic filters.
        filters: Vec<String>,
    },
    /// PUBREL.
    Release {
        /// The packet identifier of a QoS 2 message.
        packet_id: u16,
    },
    /// PINGREQ.
    Ping,
    /// DISCONNECT.
    Disconnect {
        /// MQTT 5's reason code 0x04: the will is to be published nevertheless.
        with_will: bool,
    },
    /// A packet that a client must not send here.
    Unexpected,
}

/// Why a CONNECT cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConnect {
    /// The connection ended before its first packet was complete.
    Closed,
    /// The first packet is not a CONNECT.
    OtherPacket,
    /// An unsupported protocol level.
    Level(u8),
    /// It is malformed.
    Malformed,
}

/// Parses the first packet of a connection.
pub fn read_connect(frame: &Frame) -> Result<Connect, NotConnect> {
    if frame.kind() != 1 {
        return Err(NotConnect::OtherPacket);
    }
    let body = frame.body();
    // The name of MQTT 3.1 (protocol level 3).
    if body.starts_with(b"\0\x06MQIsdp") {
        return Err(NotConnect::Level(3));
    }
    let Some((&[0, 4, b'M', b'Q', b'T', b'T', level, flags], _)) = body.split_first_chunk::<8>() else {
        return Err(NotConnect::Malformed);
    };
    // The lowest connect flag is reserved, and the fixed header has no flags (3.1.1, 3.1.2.3).
    if flags & 1 != 0 || frame.flags() != 0 {
        return Err(NotConnect::Malformed);
    }
    match level {
        4 => connect_v3(frame),
        5 => connect_v5(frame),
        other => Err(NotConnect::Level(other)),
    }
}

/// Parses any later packet except PUBLISH.
pub fn read_packet(frame: &Frame, version: Version) -> Result<Packet, Malformed> {
    match (frame.kind(), frame.flags()) {
        (8, 2) => subscribe(frame, version),
        (10, 2) => unsubscribe(frame, version),
        (6, 2) => release(frame),
        (6 | 8 | 10, _) => Err(Malformed("reserved flags")),
        (12, _) => Ok(Packet::Ping),
        (14, _) => Ok(Packet::Disconnect { with_will: version == Version::V5 && frame.body().first() == Some(&4) }),
        _ => Ok(Packet::Unexpected),
    }
}

fn connect_v3(frame: &Frame) -> Result<Connect, NotConnect> {
    let read = v4::Connect::read(header_v3(frame), frame.packet.clone()).map_err(|_| NotConnect::Malformed)?;
    let will = read.last_will.map(|will| Will {
        topic: Bytes::from(will.topic),
        payload: will.message,
        qos: will.qos as u8,
        retain: will.retain,
    });
    Ok(Connect {
        version: Version::V3,
        client_id: read.client_id,
        keep_alive_seconds: read.keep_alive,
        will,
        wants_stored_session: false,
        wants_authentication: false,
    })
}

fn connect_v5(frame: &Frame) -> Result<Connect, NotConnect> {
    let (read, will, _login) =
        v5::Connect::read(header_v5(frame), frame.packet.clone()).map_err(|_| NotConnect::Malformed)?;
    let will =
        will.map(|will| Will { topic: will.topic, payload: will.message, qos: will.qos as u8, retain: will.retain });
    let properties = read.properties.as_ref();
    Ok(Connect {
        version: Version::V5,
        client_id: read.client_id,
        keep_alive_seconds: read.keep_alive,
        will,
        wants_stored_session: properties.and_then(|p| p.session_expiry_interval).is_some_and(|seconds| seconds > 0),
        wants_authentication: properties.is_some_and(|p| p.authentication_method.is_some()),
    })
}

fn subscribe(frame: &Frame, version: Version) -> Result<Packet, Malformed> {
    let unreadable = Malformed("SUBSCRIBE");
    let (packet_id, filters): (u16, Vec<_>) = match version {
        Version::V3 => {
            let read = v4::Subscribe::read(header_v3(frame), frame.packet.clone()).map_err(|_| unreadable)?;
            (read.pkid, read.filters.into_iter().map(|filter| (filter.path, filter.qos as u8)).collect())
        }
        Version::V5 => {
            let read = v5::Subscribe::read(header_v5(frame), frame.packet.clone()).map_err(|_| unreadable)?;
            (read.pkid, read.filters.into_iter().map(|filter| (filter.path, filter.qos as u8)).collect())
        }
    };
    if packet_id == 0 { Err(Malformed("packet identifier 0")) } else { Ok(Packet::Subscribe { packet_id, filters }) }
}

fn unsubscribe(frame: &Frame, version: Version) -> Result<Packet, Malformed> {
    let unreadable = Malformed("UNSUBSCRIBE");
    let (packet_id, filters) = match version {
        Version::V3 => {
            let read = v4::Unsubscribe::read(header_v3(frame), frame.packet.clone()).map_err(|_| unreadable)?;
            (read.pkid, read.topics)
        }
        Version::V5 => {
            let read = v5::Unsubscribe::read(header_v5(frame), frame.packet.clone()).map_err(|_| unreadable)?;
            (read.pkid, read.filters)
        }
    };
    if packet_id == 0 || filters.is_empty() {
        return Err(unreadable);
    }
    Ok(Packet::Unsubscribe { packet_id, filters })
}

/// Reads the packet identifier; the reason code and the properties of MQTT 5 change nothing.
fn release(frame: &Frame) -> Result<Packet, Malformed> {
    match frame.body().first_chunk::<2>().map(|id| u16::from_be_bytes(*id)) {
        None | Some(0) => Err(Malformed("PUBREL")),
        Some(packet_id) => Ok(Packet::Release { packet_id }),
    }
}

fn header_v3(frame: &Frame) -> mqtt3::FixedHeader {
    mqtt3::FixedHeader::new(frame.first, frame.header_bytes - 1, frame.packet.len() - frame.header_bytes)
}

fn header_v5(frame: &Frame) -> v5::FixedHeader {
    v5::FixedHeader::new(frame.first, frame.header_bytes - 1, frame.packet.len() - frame.header_bytes)
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
