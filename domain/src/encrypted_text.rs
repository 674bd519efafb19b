//! Personal data as it stands in events: encrypted with the person's own key. What does not live here: the keys.

use serde::{Deserialize, Serialize};

/// Text encrypted with a person's key (base64); erasing the key erases the text everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EncryptedText(pub String);
