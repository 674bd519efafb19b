//! Decoding of numbers from binary frames, in the layouts that field devices use.

use serde::{Deserialize, Serialize};

use crate::telemetry::exact;
use crate::word_enum::word_enum;

/// Maximum offset of a register, bytes.
const MAX_OFFSET: u32 = 65_535;

/// A number in a binary frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// Offset in bytes; of the nth 16-bit Modbus register, 2 n.
    pub offset: u32,
    /// The number's type.
    pub kind: RegisterKind,
    /// The byte order.
    #[serde(default)]
    pub endianness: Endianness,
    /// Factor that the number is multiplied by; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// The bit to read, from 0, the least significant one; the whole number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit: Option<u8>,
}

/// The type of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum RegisterKind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

/// Byte and word order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endianness {
    /// Most significant byte first: ABCD.
    #[default]
    Big,
    /// Least significant byte first: DCBA.
    Little,
    /// 16-bit words with the more significant byte first, least significant word first: CDAB.
    BigWordSwapped,
    /// 16-bit words with the less significant byte first, most significant word first: BADC.
    LittleWordSwapped,
}

impl RegisterKind {
    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Converts bits to the number that they represent, or the nearest one that a 64-bit float can hold.
    fn number(self, bytes: u64) -> f64 {
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => bytes as f64,
            Self::I8 => f64::from(bytes as u8 as i8),
            Self::I16 => f64::from(bytes as u16 as i16),
            Self::I32 => f64::from(bytes as u32 as i32),
            Self::I64 => bytes as i64 as f64,
            Self::F32 => f64::from(f32::from_bits(bytes as u32)),
            Self::F64 => f64::from_bits(bytes),
        }
    }

    /// Returns whether a 64-bit float holds the number exactly.
    fn is_exact(self, bits: u64) -> bool {
        match self {
            Self::U64 => exact::is_exact(bits.into()),
            Self::I64 => exact::is_exact((bits as i64).into()),
            _ => true,
        }
    }
}

impl Register {
    /// Returns the first error in the register, if any.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.offset > MAX_OFFSET {
            return Err(format!("the offset must be 0 to {MAX_OFFSET}"));
        }
        if self.scale.is_some_and(|scale| !scale.is_finite() || scale == 0.0) {
            return Err("the scale must be a finite number other than 0".to_owned());
        }
        let bits = 8 * self.kind.bytes();
        let is_whole = !matches!(self.kind, RegisterKind::F32 | RegisterKind::F64);
        match self.bit {
            Some(bit) if usize::from(bit) >= bits || !is_whole => {
                Err(format!("there is no bit {bit} in a register of kind {}", self.kind))
            }
            _ => Ok(()),
        }
    }

    /// Reads the number, and whether it is exact; `None` if the frame ends before it.
    pub(super) fn read(&self, frame: &[u8]) -> Option<(f64, bool)> {
        let start = usize::try_from(self.offset).ok()?;
        let mut bytes = frame.get(start..start + self.kind.bytes())?.to_vec();
        // Convert to big-endian: first swap the bytes within each 16-bit word, then reverse the order of the words.
        if matches!(self.endianness, Endianness::Little | Endianness::LittleWordSwapped) {
            bytes.chunks_mut(2).for_each(<[u8]>::reverse);
        }
        if matches!(self.endianness, Endianness::Little | Endianness::BigWordSwapped) {
            bytes = bytes.chunks(2).rev().flatten().copied().collect();
        }
        let bits = bytes.iter().fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let (number, is_exact) = match self.bit {
            Some(bit) => (((bits >> bit) & 1) as f64, true),
            None => (self.kind.number(bits), self.kind.is_exact(bits)),
        };
        Some((number * self.scale.unwrap_or(1.0), is_exact))
    }
}

word_enum!(RegisterKind {
    U8 "u8", I8 "i8", U16 "u16", I16 "i16", U32 "u32", I32 "i32", U64 "u64", I64 "i64", F32 "f32", F64 "f64",
});
word_enum!(Endianness {
    Big "big", Little "little", BigWordSwapped "big_word_swapped", LittleWordSwapped "little_word_swapped",
});
