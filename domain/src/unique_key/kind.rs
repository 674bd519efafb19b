//! Kinds of values that must be unique.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// What kind of value is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// A device's serial number, unique in its organisation.
    SerialNumber,
    /// A person's e-mail address, unique on the platform; kept as a keyed hash only.
    Email,
    /// A claim code of a device, unique on the platform; kept as a digest only.
    ClaimCode,
    /// A public key whose private key was compromised, refused on the whole platform; kept as a digest only. Its holder is
    /// the device that it was first revoked for.
    CompromisedKey,
}

word_enum!(KeyKind { SerialNumber "serial_number", Email "email", ClaimCode "claim_code",
    CompromisedKey "compromised_key" });
