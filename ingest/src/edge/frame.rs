//! Splits a byte stream into MQTT control packets (fixed header, section 2.1 of both versions).

use bytes::{Bytes, BytesMut};

/// One complete control packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The first byte: packet type and flags.
    pub first: u8,
    /// Length of the fixed header in bytes.
    pub header_bytes: usize,
    /// The packet with its fixed header; a slice of the read buffer, not a copy.
    pub packet: Bytes,
}

impl Frame {
    /// Returns the packet type (2.1.2): 1 is CONNECT, 3 PUBLISH and so on.
    pub fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// Returns the flags of the first byte.
    pub fn flags(&self) -> u8 {
        self.first & 0x0f
    }

    /// Returns what follows the fixed header.
    pub fn body(&self) -> Bytes {
        self.packet.slice(self.header_bytes..)
    }
}

/// What a buffer begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A complete packet, removed from the buffer.
    Frame(Frame),
    /// An incomplete packet; at least `missing` more bytes are needed.
    Incomplete {
        /// Missing bytes, as far as known.
        missing: usize,
    },
    /// A packet larger than allowed, left in the buffer.
    Oversize {
        /// The first byte.
        first: u8,
        /// Length of the fixed header in bytes.
        header_bytes: usize,
        /// Size of the whole packet.
        bytes: usize,
    },
    /// A remaining length of more than four bytes, which is not a packet (2.1.4).
    Malformed,
}

/// Takes the next packet out of a buffer if it is complete and at most `largest` bytes.
pub fn next(buffer: &mut BytesMut, largest: usize) -> Next {
    // The shortest packet has two bytes.
    let Some(&first) = buffer.first() else { return Next::Incomplete { missing: 2 } };
    let (length, digits) = match read_variable_integer(&buffer[1..]) {
        VariableInteger::Value(value, digits) => (value, digits),
        VariableInteger::Incomplete => return Next::Incomplete { missing: 1 },
        VariableInteger::Malformed => return Next::Malformed,
    };
    let header_bytes = 1 + digits;
    let bytes = header_bytes + length;
    if bytes > largest {
        return Next::Oversize { first, header_bytes, bytes };
    }
    if buffer.len() < bytes {
        return Next::Incomplete { missing: bytes - buffer.len() };
    }
    Next::Frame(Frame { first, header_bytes, packet: buffer.split_to(bytes).freeze() })
}

/// The result of reading a variable byte integer (1.5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableInteger {
    /// The value and its encoded length in bytes.
    Value(usize, usize),
    /// The buffer ends within it.
    Incomplete,
    /// It is longer than four bytes.
    Malformed,
}

/// Reads a variable byte integer: seven bits per byte, least significant first, at most four bytes.
pub fn read_variable_integer(bytes: &[u8]) -> VariableInteger {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return VariableInteger::Value(value, index + 1);
        }
    }
    if bytes.len() < 4 { VariableInteger::Incomplete } else { VariableInteger::Malformed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packets_are_taken_one_by_one_and_the_rest_stays() {
        let mut buffer = BytesMut::from(&[0xc0, 0x00, 0x40, 0x02, 0x00, 0x07, 0xd0][..]);
        let Next::Frame(ping) = next(&mut buffer, 100) else { panic!() };
        assert_eq!((ping.kind(), ping.flags(), ping.body().len()), (12, 0, 0));
        let Next::Frame(ack) = next(&mut buffer, 100) else { panic!() };
        assert_eq!((ack.kind(), &ack.body()[..]), (4, &[0x00, 0x07][..]));
        assert_eq!(next(&mut buffer, 100), Next::Incomplete { missing: 1 });
        assert_eq!(&buffer[..], &[0xd0]);
    }

    #[test]
    fn the_length_examples_of_the_standard_are_decoded() {
        // The bounds of one to four bytes, from table 2.4 of MQTT 3.1.1.
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x7f][..], 127),
            (&[0x80, 0x01][..], 128),
            (&[0xff, 0x7f][..], 16_383),
            (&[0x80, 0x80, 0x01][..], 16_384),
            (&[0xff, 0xff, 0xff, 0x7f][..], 268_435_455),
        ] {
            assert_eq!(read_variable_integer(bytes), VariableInteger::Value(value, bytes.len()));
        }
        assert_eq!(read_variable_integer(&[0xff, 0xff, 0xff]), VariableInteger::Incomplete);
        assert_eq!(read_variable_integer(&[0xff, 0xff, 0xff, 0xff]), VariableInteger::Malformed);
    }

    #[test]
    fn an_oversize_packet_is_reported_without_waiting_for_the_rest() {
        let mut buffer = BytesMut::from(&[0x30, 0x80, 0x01, 0x00][..]);
        assert_eq!(next(&mut buffer, 130), Next::Oversize { first: 0x30, header_bytes: 3, bytes: 131 });
        assert_eq!(next(&mut buffer, 131), Next::Incomplete { missing: 127 });
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_without_panic_and_without_loss(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = BytesMut::from(&bytes[..]);
            let mut taken = 0;
            while let Next::Frame(frame) = next(&mut buffer, 64) {
                taken += frame.packet.len();
                let _ = frame.body();
            }
            prop_assert_eq!(&bytes[taken..], &buffer[..]);
        }
    }
}
