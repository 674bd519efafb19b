//! Commands of a device certificate; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::RevocationCode;
use crate::ids::{CertificateId, DeviceId};

/// Commands on a device certificate.
#[derive(Clone, Debug, PartialEq)]
pub enum CertificateCommand {
    /// Notes the issued certificate.
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
    /// Notes that another certificate takes its place.
    NoteRenewed {
        /// The other certificate.
        successor: CertificateId,
        /// When this certificate is revoked as superseded; when absent, it stays valid until it expires.
        overlap_ends_at: Option<DateTime<Utc>>,
    },
    /// Revokes it.
    RevokeCertificate {
        /// The reason, as entered by whoever acted.
        reason: String,
        /// Reason code of RFC 5280.
        code: RevocationCode,
    },
    /// Notes that its end is near.
    NoteExpiring {},
    /// Notes that people were told of its near end.
    NoteAnnounced {
        /// Number of recipients.
        recipients: u32,
    },
    /// Notes that its validity ended.
    NoteExpired {},
}
