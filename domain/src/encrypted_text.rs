//! Personal data in events, encrypted with a key per person. The keys live in the vault of the `commands` crate.

use serde::{Deserialize, Serialize};

/// Text encrypted with a person's key, in base64. Destroying the key makes the text unreadable everywhere, also in the
/// log and in backups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EncryptedText(pub String);
