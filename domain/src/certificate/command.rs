//! Commands of a device certificate; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::RevocationCode;
use crate::ids::{CertificateId, DeviceId};

/// Commands on a device certificate.
#[derive(Clone, Debug, PartialEq)]
pub enum CertificateCommand {
    /// Records an issued certificate.
    IssueCertificate {
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
    /// Records that another certificate replaces it.
    NoteRenewed {
        /// The new certificate.
        successor: CertificateId,
        /// When this certificate is revoked as superseded; when absent, it stays valid until it expires.
        overlap_ends_at: Option<DateTime<Utc>>,
    },
    /// Revokes it.
    RevokeCertificate {
        /// The reason, as entered by the actor.
        reason: String,
        /// RFC 5280 reason code.
        code: RevocationCode,
    },
    /// Records that it expires soon.
    NoteExpiring {},
    /// Records that its coming expiry was announced by e-mail.
    NoteAnnounced {
        /// Number of recipients.
        recipients: u32,
    },
    /// Records that it has expired.
    NoteExpired {},
}
