//! Reason codes of certificate revocations.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// The CRLReason values of RFC 5280, section 5.3.1, that apply to devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationCode {
    /// No reason given.
    #[default]
    Unspecified,
    /// The private key is known or suspected to be compromised.
    KeyCompromise,
    /// The device has moved to another owner.
    AffiliationChanged,
    /// Another certificate replaced it.
    Superseded,
    /// The device is out of service.
    CessationOfOperation,
    /// The device must no longer connect.
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
