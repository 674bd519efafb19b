//! The MQTT 3.1.1 packets that a device needs (OASIS MQTT 3.1.1, sections 2 and 3); no sockets.

/// The CONNACK return code for an accepted connection.
pub const CONNACK_ACCEPTED: u8 = 0;

/// The first byte of a packet and the position of its body in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Packet type and flags.
    pub first: u8,
    /// Offset of the body.
    pub body: usize,
    /// Offset of the end of the packet.
    pub end: usize,
}

impl Frame {
    /// Returns the packet type: 2 CONNACK, 4 PUBACK, 13 PINGRESP.
    pub fn kind(self) -> u8 {
        self.first >> 4
    }
}

/// Finds the first complete packet of a buffer.
pub fn frame(buffer: &[u8]) -> Option<Frame> {
    let (&first, rest) = buffer.split_first()?;
    let mut length = 0_usize;
    for (index, byte) in rest.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let body = index + 2;
            return (buffer.len() >= body + length).then_some(Frame { first, body, end: body + length });
        }
    }
    None
}

/// Encodes a CONNECT with a clean session.
pub fn connect(client_id: &str, keep_alive_seconds: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(12 + client_id.len());
    put_text(&mut body, "MQTT");
    body.extend([4, 0b0000_0010]);
    body.extend(keep_alive_seconds.to_be_bytes());
    put_text(&mut body, client_id);
    packet(0x10, &body)
}

/// Appends a PUBLISH with QoS 1.
pub fn publish(out: &mut Vec<u8>, topic: &str, packet_id: u16, payload: &[u8]) {
    out.push(0x32);
    put_length(out, 2 + topic.len() + 2 + payload.len());
    put_text(out, topic);
    out.extend(packet_id.to_be_bytes());
    out.extend_from_slice(payload);
}

/// A PINGREQ.
pub const PINGREQ: [u8; 2] = [0xc0, 0];

/// A DISCONNECT.
pub const DISCONNECT: [u8; 2] = [0xe0, 0];

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    put_length(&mut out, body.len());
    out.extend_from_slice(body);
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_found_only_once_it_is_complete() {
        let mut out = Vec::new();
        publish(&mut out, "t", 7, &[0; 200]);
        let whole = frame(&out).unwrap();
        assert_eq!((whole.kind(), whole.body, whole.end), (3, 3, out.len()));
        assert_eq!(frame(&out[..out.len() - 1]), None);
        assert_eq!(frame(&[]), None);
    }

    #[test]
    fn a_connect_carries_protocol_level_four_and_the_client_id() {
        let bytes = connect("abc", 30);
        assert_eq!(bytes, [&[0x10, 15, 0, 4], b"MQTT".as_slice(), &[4, 2, 0, 30, 0, 3], b"abc"].concat());
    }
}
