//! Certificates and the renewal policy in responses.

use domain::organization::CertificatePolicy as Policy;
use projections::certificate_register::{CertificateRow, Transition};

use crate::etag::{Versioned, response_version};
use crate::prelude::*;

/// A certificate. Only the device has its private key.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Certificate {
    id: Uuid,
    device_id: Uuid,
    /// PEM.
    certificate: String,
    serial_number: String,
    fingerprint_sha256: String,
    /// `active`, `expiring`, `renewed`, `expired`, `not_yet_valid` or `revoked`.
    status: String,
    valid_from: Time,
    valid_until: Time,
    renewed_at: Option<Time>,
    /// The certificate that replaced it.
    successor_id: Option<Uuid>,
    /// When it will be revoked as superseded.
    overlap_ends_at: Option<Time>,
    revoked_at: Option<Time>,
    revoked_reason: Option<String>,
    revoked_code: Option<String>,
    /// Its state transitions, oldest first.
    history: Vec<CertificateState>,
    created_at: Time,
    created_by: String,
    pub version: i64,
}

/// A state transition of a certificate.
#[derive(Object)]
struct CertificateState {
    /// `active`, `expiring`, `renewed`, `expired` or `revoked`.
    state: String,
    at: Time,
    /// `user:<id>`, `device:<id>` or `system:<part>`.
    by: String,
}

impl From<Transition> for CertificateState {
    fn from(transition: Transition) -> Self {
        Self { state: transition.state, at: transition.at.into(), by: transition.by }
    }
}

impl Certificate {
    /// Returns a certificate with its status at the given time.
    pub fn at(row: CertificateRow, now: DateTime<Utc>) -> Self {
        Self {
            status: row.status_at(now).to_owned(),
            id: row.id,
            device_id: row.device_id,
            certificate: row.certificate,
            serial_number: row.serial_number,
            fingerprint_sha256: row.fingerprint_sha256,
            valid_from: row.valid_from.into(),
            valid_until: row.valid_until.into(),
            renewed_at: row.renewed_at.map(Into::into),
            successor_id: row.successor_id,
            overlap_ends_at: row.overlap_ends_at.map(Into::into),
            revoked_at: row.revoked_at.map(Into::into),
            revoked_reason: row.revoked_reason,
            revoked_code: row.revoked_code,
            history: row.history.into_iter().map(Into::into).collect(),
            created_at: row.created_at.into(),
            created_by: row.created_by,
            version: row.version,
        }
    }
}

/// The certificate renewal policy of an organisation.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CertificatePolicy {
    /// Days for which a renewed certificate stays valid alongside its successor.
    overlap_days: u32,
    /// Days before expiry at which a certificate counts as expiring.
    notice_days: u32,
    /// Whether expiring certificates are renewed automatically, for the same key.
    automatic_renewal: bool,
    /// Version of the organisation, which holds this setting.
    version: i64,
}

impl Versioned for CertificatePolicy {
    fn version(&self) -> i64 {
        self.version
    }
}

impl CertificatePolicy {
    /// Returns the policy of an organisation at a version.
    pub fn new(policy: Policy, version: u64) -> Self {
        let Policy { overlap_days, notice_days, automatic_renewal } = policy;
        Self { overlap_days, notice_days, automatic_renewal, version: response_version(version) }
    }
}
