//! Kinds of values that must be unique.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// The kind of a reserved value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// A device's serial number, unique in its organisation.
    SerialNumber,
    /// A user's e-mail address, unique on the platform; stored only as a keyed hash.
    Email,
    /// A device's claim code, unique on the platform; stored only as a digest.
    ClaimCode,
    /// A public key whose private key was compromised, rejected on the whole platform; stored only as a digest. Its
    /// holder is the device for which it was first revoked.
    CompromisedKey,
}

word_enum!(KeyKind { SerialNumber "serial_number", Email "email", ClaimCode "claim_code",
    CompromisedKey "compromised_key" });
