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
    /// Whose it is.
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
    /// Whether its end was noted to be near.
    pub expiring: bool,
    /// When people were told of it.
    pub announced_at: Option<DateTime<Utc>>,
    /// Whether its end was noted.
    pub expired: bool,
    /// When another one took its place.
    pub renewed_at: Option<DateTime<Utc>>,
    /// That other one.
    pub successor_id: Option<Uuid>,
    /// When it is to be revoked as superseded.
    pub overlap_ends_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why, in words.
    pub revoked_reason: Option<String>,
    /// Why, as a reason code of RFC 5280 (`key_compromise`, …).
    pub revoked_code: Option<String>,
    /// Its states so far, the first one first.
    #[serde(default)]
    pub history: Vec<Transition>,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
    pub position: i64,
}

/// A state that a certificate came into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// `active`, `expiring`, `renewed`, `expired` or `revoked`.
    pub state: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who brought it there.
    pub by: String,
}

impl Row for CertificateRow {
    const TABLE: &'static str = "device_certificates";

    fn key(&self) -> Uuid {
        self.id
    }
}

impl CertificateRow {
    /// Returns `revoked`, `expired`, `not_yet_valid`, `renewed`, `expiring` or `active`, the gravest that holds at a time.
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
