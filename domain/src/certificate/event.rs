//! Events of a device certificate. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::RevocationCode;
use crate::ids::{CertificateId, DeviceId};

use crate::aggregate::domain_event;

/// Events of a device certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CertificateEvent {
    /// The certificate was issued.
    CertificateIssued {
        /// The device that holds the certificate.
        device_id: DeviceId,
        /// Serial number, lower-case hex.
        serial_number: String,
        /// The certificate, PEM.
        certificate_pem: String,
        /// SHA-256 of the DER, lower-case hex.
        fingerprint_sha256: String,
        /// Start of validity.
        not_before: DateTime<Utc>,
        /// End of validity.
        not_after: DateTime<Utc>,
    },
    /// Another certificate replaces it; both are valid until the overlap ends.
    CertificateRenewed {
        /// The new certificate.
        successor: CertificateId,
        /// When this certificate is revoked as superseded; when absent, it stays valid until it expires.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overlap_ends_at: Option<DateTime<Utc>>,
    },
    /// It was revoked.
    CertificateRevoked {
        /// The reason, as entered by the actor.
        reason: String,
        /// RFC 5280 reason code.
        code: RevocationCode,
    },
    /// It expires soon.
    CertificateExpiring {},
    /// Its coming expiry was announced to users of the organisation by e-mail.
    CertificateExpiryAnnounced {
        /// Number of recipients.
        recipients: u32,
    },
    /// It has expired.
    CertificateExpired {},
}

domain_event!(CertificateEvent {
    CertificateIssued "1.0", CertificateRenewed "1.0", CertificateRevoked "1.0", CertificateExpiring "1.0",
    CertificateExpiryAnnounced "1.0", CertificateExpired "1.0",
});
