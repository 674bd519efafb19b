//! A number in a row of octets, as field devices lay them out. What does not live here: where the octets come from.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// Farthest octet that a register may begin at.
const MAX_OFFSET: u32 = 65_535;

/// A number in a row of octets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// Octets before it: of the nth 16-bit register of Modbus, 2 n.
    pub offset: u32,
    /// What it is.
    pub kind: RegisterKind,
    /// In which order its octets stand.
    #[serde(default)]
    pub endianness: Endianness,
    /// What it is multiplied by; 1 where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Which bit of the number counts, from 0, the least one; the whole number where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit: Option<u8>,
}

/// What a register is.
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

/// In which order octets stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endianness {
    /// The most significant octet first: ABCD.
    #[default]
    Big,
    /// The least significant octet first: DCBA.
    Little,
    /// Words of two octets, each with the more significant octet first, the least significant word first: CDAB.
    BigWordSwapped,
    /// Words of two octets, each with the less significant octet first, the most significant word first: BADC.
    LittleWordSwapped,
}

impl RegisterKind {
    fn octets(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Reads octets whose order is the most significant first. Whole numbers beyond 2^53 lose their last digits.
    fn number(self, octets: u64) -> f64 {
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => octets as f64,
            Self::I8 => f64::from(octets as u8 as i8),
            Self::I16 => f64::from(octets as u16 as i16),
            Self::I32 => f64::from(octets as u32 as i32),
            Self::I64 => octets as i64 as f64,
            Self::F32 => f64::from(f32::from_bits(octets as u32)),
            Self::F64 => f64::from_bits(octets),
        }
    }
}

impl Register {
    /// Says what is wrong with it, if something is.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.offset > MAX_OFFSET {
            return Err(format!("the offset must lie in 0 to {MAX_OFFSET}"));
        }
        if self.scale.is_some_and(|scale| !scale.is_finite() || scale == 0.0) {
            return Err("the scale must be a finite number other than 0".to_owned());
        }
        let bits = 8 * self.kind.octets();
        let is_whole = !matches!(self.kind, RegisterKind::F32 | RegisterKind::F64);
        match self.bit {
            Some(bit) if usize::from(bit) >= bits || !is_whole => {
                Err(format!("there is no bit {bit} in a register of kind {}", self.kind))
            }
            _ => Ok(()),
        }
    }

    /// Reads the number; `None` where the octets end before it.
    pub(super) fn read(&self, frame: &[u8]) -> Option<f64> {
        let start = usize::try_from(self.offset).ok()?;
        let mut octets = frame.get(start..start + self.kind.octets())?.to_vec();
        if matches!(self.endianness, Endianness::Little | Endianness::LittleWordSwapped) {
            octets.chunks_mut(2).for_each(<[u8]>::reverse);
        }
        if matches!(self.endianness, Endianness::Little | Endianness::BigWordSwapped) {
            octets = octets.chunks(2).rev().flatten().copied().collect();
        }
        let bits = octets.iter().fold(0u64, |bits, octet| (bits << 8) | u64::from(*octet));
        let number = match self.bit {
            Some(bit) => ((bits >> bit) & 1) as f64,
            None => self.kind.number(bits),
        };
        Some(number * self.scale.unwrap_or(1.0))
    }
}

word_enum!(RegisterKind {
    U8 "u8", I8 "i8", U16 "u16", I16 "i16", U32 "u32", I32 "i32", U64 "u64", I64 "i64", F32 "f32", F64 "f64",
});
word_enum!(Endianness {
    Big "big", Little "little", BigWordSwapped "big_word_swapped", LittleWordSwapped "little_word_swapped",
});
