//! The rows of the certificate register.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// A device certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CertificateRow {
    /// The certificate.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its device.
    pub device_id: Uuid,
    /// Serial number, lower-case hex.
    pub serial_number: String,
    /// PEM.
    pub certificate: String,
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint_sha256: String,
    /// Start of validity.
    pub valid_from: DateTime<Utc>,
    /// End of validity.
    pub valid_until: DateTime<Utc>,
    /// Whether it was marked as expiring.
    pub expiring: bool,
    /// When administrators were notified that it expires.
    pub announced_at: Option<DateTime<Utc>>,
    /// Whether it was marked as expired.
    pub expired: bool,
    /// When it was renewed.
    pub renewed_at: Option<DateTime<Utc>>,
    /// The certificate that replaces it.
    pub successor_id: Option<Uuid>,
    /// When the overlap with its successor ends and it is revoked as superseded.
    pub overlap_ends_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The reason for the revocation, as text.
    pub revoked_reason: Option<String>,
    /// The RFC 5280 reason code (`key_compromise`, …).
    pub revoked_code: Option<String>,
    /// Its past states; oldest first.
    #[serde(default)]
    pub history: Vec<Transition>,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// The actor that created it, such as `user:<id>`.
    pub created_by: String,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

/// A change of a certificate's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// `active`, `expiring`, `renewed`, `expired` or `revoked`.
    pub state: String,
    /// When it changed.
    pub at: DateTime<Utc>,
    /// The actor, such as `user:<id>`.
    pub by: String,
}

impl Row for CertificateRow {
    const TABLE: &'static str = "device_certificates";

    fn key(&self) -> Uuid {
        self.id
    }
}

impl CertificateRow {
    /// Returns `revoked`, `expired`, `not_yet_valid`, `renewed`, `expiring` or `active`, the most severe that
    /// applies at a time.
    pub fn status_at(&self, at: DateTime<Utc>) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if self.expired || at >= self.valid_until {
            "expired"
        } else if at < self.valid_from {
            "not_yet_valid"
        } else if self.renewed_at.is_some() {
            "renewed"
        } else if self.expiring {
            "expiring"
        } else {
            "active"
        }
    }
}
