//! What may be asked of a device certificate. What does not live here: the decision.

use chrono::{DateTime, Utc};

use super::RevocationCode;
use crate::ids::{CertificateId, DeviceId};

/// Commands on a device certificate.
#[derive(Clone, Debug, PartialEq)]
pub enum CertificateCommand {
    /// Notes the issued certificate.
    IssueCertificate {
        /// Whose certificate.
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
        /// When this one is revoked as superseded; absent, it lasts as long as it is valid.
        overlap_ends_at: Option<DateTime<Utc>>,
    },
    /// Revokes it.
    RevokeCertificate {
        /// Why, in the words of who did it.
        reason: String,
        /// Reason code of RFC 5280.
        code: RevocationCode,
    },
    /// Notes that its end is near.
    NoteExpiring {},
    /// Notes that people were told of its near end.
    NoteAnnounced {
        /// How many were told.
        recipients: u32,
    },
    /// Notes that its validity ended.
    NoteExpired {},
}
