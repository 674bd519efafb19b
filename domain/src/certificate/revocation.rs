//! Reason codes of revocation.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// CRLReason of RFC 5280, section 5.3.1 (those that fit a device).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationCode {
    /// No reason given.
    #[default]
    Unspecified,
    /// The private key is known to others.
    KeyCompromise,
    /// The device belongs elsewhere now.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// The device is out of service.
    CessationOfOperation,
    /// The device may no longer connect.
    PrivilegeWithdrawn,
}

word_enum!(RevocationCode {
    Unspecified "unspecified",
    KeyCompromise "key_compromise",
    AffiliationChanged "affiliation_changed",
    Superseded "superseded",
    CessationOfOperation "cessation_of_operation",
    PrivilegeWithdrawn "privilege_withdrawn",
});
