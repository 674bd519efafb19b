//! Policies of an organisation: renewal of its devices' certificates and retention of its telemetry.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Error;

/// Maximum overlap of a certificate with its successor, days.
pub const MAX_OVERLAP_DAYS: u32 = 365;
/// Default retention of telemetry, days.
pub const DEFAULT_RETENTION_DAYS: u32 = 365;
/// Maximum retention of telemetry, days: ten years.
const MAX_RETENTION_DAYS: u32 = 3_650;
/// Maximum notice period before a certificate expires, days.
const MAX_NOTICE_DAYS: u32 = 365;

/// How the certificates of an organisation's devices are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificatePolicy {
    /// Days for which a renewed certificate stays valid beside its successor; it is then revoked as superseded.
    pub overlap_days: u32,
    /// Days before its expiry from which a certificate counts as expiring.
    pub notice_days: u32,
    /// Whether expiring certificates are renewed automatically, for the same key.
    pub automatic_renewal: bool,
}

impl Default for CertificatePolicy {
    fn default() -> Self {
        Self { overlap_days: 7, notice_days: 30, automatic_renewal: false }
    }
}

impl CertificatePolicy {
    /// Returns when a certificate that expires at `not_after` starts to count as expiring.
    pub fn notice_at(&self, not_after: DateTime<Utc>) -> DateTime<Utc> {
        not_after - TimeDelta::days(self.notice_days.into())
    }

    /// Rejects values out of range.
    pub(super) fn check(self) -> Result<(), Error> {
        if self.overlap_days > MAX_OVERLAP_DAYS {
            return Err(Error::InvalidOverlap { days: self.overlap_days, most: MAX_OVERLAP_DAYS });
        }
        if !(1..=MAX_NOTICE_DAYS).contains(&self.notice_days) {
            return Err(Error::InvalidNotice { days: self.notice_days, most: MAX_NOTICE_DAYS });
        }
        Ok(())
    }
}

/// Rejects a retention out of range.
pub(super) fn check_retention(days: u32) -> Result<(), Error> {
    match (1..=MAX_RETENTION_DAYS).contains(&days) {
        true => Ok(()),
        false => Err(Error::InvalidRetention { days, most: MAX_RETENTION_DAYS }),
    }
}
