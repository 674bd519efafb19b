//! The few MQTT 3.1.1 packets that a device needs (OASIS MQTT 3.1.1, sections 2 and 3). What does not live here: sockets.

/// What a server answers to CONNECT with when it lets the device in.
pub const CONNACK_ACCEPTED: u8 = 0;

/// A packet's first byte and the range of its body inside the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Type and flags.
    pub first: u8,
    /// Where the body begins.
    pub body: usize,
    /// Where the packet ends.
    pub end: usize,
}

impl Frame {
    /// The packet type: 2 CONNACK, 4 PUBACK, 13 PINGRESP.
    pub fn kind(self) -> u8 {
        self.first >> 4
    }
}

/// Finds the first whole packet of a buffer.
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

/// A CONNECT with a clean session.
pub fn connect(client_id: &str, keep_alive_seconds: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(12 + client_id.len());
    put_text(&mut body, "MQTT");
    body.extend([4, 0b0000_0010]);
    body.extend(keep_alive_seconds.to_be_bytes());
    put_text(&mut body, client_id);
    packet(0x10, &body)
}

/// A PUBLISH with QoS 1.
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
    fn a_packet_is_found_only_when_it_is_whole() {
        let mut out = Vec::new();
        publish(&mut out, "t", 7, &[0; 200]);
        let whole = frame(&out).unwrap();
        assert_eq!((whole.kind(), whole.body, whole.end), (3, 3, out.len()));
        assert_eq!(frame(&out[..out.len() - 1]), None);
        assert_eq!(frame(&[]), None);
    }

    #[test]
    fn a_connect_names_protocol_level_four_and_the_client() {
        let bytes = connect("abc", 30);
        assert_eq!(bytes, [&[0x10, 15, 0, 4], b"MQTT".as_slice(), &[4, 2, 0, 30, 0, 3], b"abc"].concat());
    }
}
