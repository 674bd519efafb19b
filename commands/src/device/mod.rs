//! Devices, their certificates and tokens: registering, renewing, revoking, taking out of service.
//!
//! The certificates of a device are numbered: the id of the nth derives from the device and n, so that all of them are
//! found by loading one after the other until there is none, and two that are issued at once cannot both be the nth.

mod announce_expiry;
mod auto_renew;
mod bundle;
mod claim_code;
mod compromised_keys;
mod decommission;
mod enroll;
mod import;
mod issue;
mod numbered_certificates;
mod register;
mod renew;
mod renew_by_certificate;
mod replace;
mod revoke;
mod supersede;
mod tokens;

pub use bundle::{Bundle, TakenBundle};
pub use claim_code::IssuedClaimCode;
pub use decommission::DecommissionedDevice;
pub use enroll::Enrolled;
pub use issue::IssuedCertificate;
pub use register::{NewDevice, PendingDevice, RegisteredDevice};
pub use renew::{Renewal, RenewedCertificate};
pub use renew_by_certificate::AuthenticatedDevice;
pub use replace::{ReplacedDevice, Replacement, ReplacementCertificate};
pub use revoke::RevokedCertificates;
pub use tokens::{IssuedDeviceToken, NewDeviceToken};

use chrono::{DateTime, Utc};
use domain::ids::DeviceId;

/// Why a process on a device is refused.
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
    #[error("a certificate for this key was revoked because the key was compromised: make a new key")]
    CompromisedKey,
    /// The certificate that a device presents is none of its organisation's, or not in date.
    #[error("the presented certificate does not hold: {0}")]
    PresentedCertificate(certs::identity::Error),
    /// The certificate that a device presents is unknown or revoked.
    #[error("the presented certificate is unknown or revoked")]
    PresentedRevoked,
    /// A claim code's validity is zero or absurdly long.
    #[error("a claim code is valid for 1 to 2160 hours, not {hours}")]
    InvalidClaimCodeValidity {
        /// The hours asked for.
        hours: u32,
    },
    /// The overlap with the certificates before is absurdly long.
    #[error("certificates overlap for 0 to 365 days, not {days}")]
    InvalidOverlap {
        /// The days asked for.
        days: u32,
    },
    /// A certificate's validity is zero or absurdly long.
    #[error("a certificate is valid for 1 to 3650 days, not {days}")]
    InvalidValidity {
        /// The days asked for.
        days: u32,
    },
    /// A token's validity is zero or absurdly long.
    #[error("a token is valid for 1 to 3650 days, not {days}")]
    InvalidTokenValidity {
        /// The days asked for.
        days: u32,
    },
    /// The certificate would be valid longer than the organisation's CA.
    #[error(
        "the certificate would outlive the organisation's certificate authority, which ends at {authority_not_after}"
    )]
    OutlivesAuthority {
        /// The CA's end.
        authority_not_after: DateTime<Utc>,
    },
}
