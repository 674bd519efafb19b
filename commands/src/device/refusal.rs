//! The reasons why a command on a device is refused.

use chrono::{DateTime, Utc};
use domain::ids::DeviceId;

/// Why a command on a device is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The device's own rules forbid it.
    #[error(transparent)]
    Device(domain::device::Error),
    /// A certificate's rules forbid it.
    #[error(transparent)]
    Certificate(domain::certificate::Error),
    /// The organisation is unknown or suspended.
    #[error(transparent)]
    Organization(domain::organization::Error),
    /// Another device of the organisation has the serial number.
    #[error("the serial number belongs to device {holder}")]
    SerialNumberTaken {
        /// The other device.
        holder: DeviceId,
    },
    /// The organisation's founding is not complete.
    #[error("the organisation has no certificate authority yet")]
    NoAuthority,
    /// The signing request is refused.
    #[error(transparent)]
    SigningRequest(certs::csr::Error),
    /// The key of the signing request was compromised.
    #[error("a certificate for this key was revoked because the key was compromised: generate a new key")]
    CompromisedKey,
    /// The presented certificate was not issued by its organisation's CA, or is outside its validity.
    #[error("the presented certificate is invalid: {0}")]
    PresentedCertificate(certs::identity::Error),
    /// The presented certificate is unknown or revoked.
    #[error("the presented certificate is unknown or revoked")]
    PresentedRevoked,
    /// A claim code's validity is out of range.
    #[error("a claim code is valid for 1 to 2160 hours, not {hours}")]
    InvalidClaimCodeValidity {
        /// The requested hours.
        hours: u32,
    },
    /// The overlap with the earlier certificates is out of range.
    #[error("certificates overlap for 0 to 365 days, not {days}")]
    InvalidOverlap {
        /// The requested days.
        days: u32,
    },
    /// A certificate's validity is out of range.
    #[error("a certificate is valid for 1 to 3650 days, not {days}")]
    InvalidValidity {
        /// The requested days.
        days: u32,
    },
    /// A token's validity is out of range.
    #[error("a token is valid for 1 to 3650 days, not {days}")]
    InvalidTokenValidity {
        /// The requested days.
        days: u32,
    },
    /// The certificate would be valid longer than the root CA, until which the organisation's CA was renewed.
    #[error(
        "the certificate authority expires at {authority_not_after}: a certificate is valid for {most_days} days at most"
    )]
    OutlivesAuthority {
        /// The end of the CA's validity.
        authority_not_after: DateTime<Utc>,
        /// The days until then.
        most_days: i64,
    },
}
