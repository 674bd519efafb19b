//! Certificate serial numbers in canonical form.

use std::{fmt, str::FromStr};

use aws_lc_rs::rand;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};

/// A certificate's serial number: lower-case hex without leading zero bytes, at most 20 bytes
/// (RFC 5280, 4.1.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(String);

/// Why a text or a number is not a serial number.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text contains something other than pairs of hex digits.
    #[error("a serial number is written in pairs of hex digits")]
    NotHex,
    /// Zero, or more than 20 bytes.
    #[error("a serial number has 1 to 20 bytes and is not zero")]
    OutOfRange,
}

impl Serial {
    /// Reads the big-endian bytes of a serial number; leading zero bytes, which DER may add, are dropped.
    pub fn from_bytes(bytes: &[u8]) -> Result<Serial, Error> {
        let start = bytes.iter().position(|byte| *byte != 0).ok_or(Error::OutOfRange)?;
        let significant = &bytes[start..];
        if significant.len() > 20 {
            return Err(Error::OutOfRange);
        }
        Ok(Serial(HEXLOWER.encode(significant)))
    }

    /// Returns lower-case hex without leading zero bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Generates 128 random bits.
    pub(crate) fn random() -> Result<Serial, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0u8; 16];
        // DER drops a leading zero byte; drawing again keeps every serial 32 digits long.
        while bytes[0] == 0 {
            rand::fill(&mut bytes)?;
        }
        Ok(Serial(HEXLOWER.encode(&bytes)))
    }

    pub(crate) fn to_rcgen(&self) -> rcgen::SerialNumber {
        // The text is valid hex by construction, so decoding cannot fail.
        HEXLOWER.decode(self.0.as_bytes()).unwrap_or_default().into()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Serial {
    type Err = Error;

    fn from_str(text: &str) -> Result<Serial, Error> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| Error::NotHex)?;
        Serial::from_bytes(&bytes)
    }
}

impl TryFrom<String> for Serial {
    type Error = Error;

    fn try_from(text: String) -> Result<Serial, Error> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> String {
        serial.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_number_parse_to_one_canonical_form() {
        for text in ["0aff", "0AFF", "00000aff"] {
            assert_eq!(text.parse::<Serial>().unwrap().as_str(), "0aff");
        }
    }

    #[test]
    fn invalid_serial_numbers_are_refused() {
        assert_eq!("xyz".parse::<Serial>(), Err(Error::NotHex));
        assert_eq!("abc".parse::<Serial>(), Err(Error::NotHex));
        assert_eq!("0000".parse::<Serial>(), Err(Error::OutOfRange));
        assert_eq!("".parse::<Serial>(), Err(Error::OutOfRange));
        assert_eq!("ab".repeat(21).parse::<Serial>(), Err(Error::OutOfRange));
    }
}
