//! An organisation's choices: how its devices' certificates are renewed, and how long its telemetry is kept.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Error;

/// Longest overlap of an old certificate with its successor, days.
pub const MAX_OVERLAP_DAYS: u32 = 365;
/// Days that telemetry is kept where an organisation has not chosen.
pub const DEFAULT_RETENTION_DAYS: u32 = 365;
/// Longest retention of telemetry, days: ten years.
const MAX_RETENTION_DAYS: u32 = 3_650;
/// Longest notice before the end of a certificate, days.
const MAX_NOTICE_DAYS: u32 = 365;

/// How the certificates of an organisation's devices are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificatePolicy {
    /// Days for which a renewed certificate still holds beside its successor; then it is revoked as superseded.
    pub overlap_days: u32,
    /// Days before its end at which a certificate counts as expiring.
    pub notice_days: u32,
    /// Whether an expiring certificate is renewed without anybody asking, for the same key.
    pub automatic_renewal: bool,
}

impl Default for CertificatePolicy {
    fn default() -> Self {
        Self { overlap_days: 7, notice_days: 30, automatic_renewal: false }
    }
}

impl CertificatePolicy {
    /// Returns when a certificate that ends at `not_after` is told to be expiring.
    pub fn notice_at(&self, not_after: DateTime<Utc>) -> DateTime<Utc> {
        not_after - TimeDelta::days(self.notice_days.into())
    }

    /// Refuses a choice that nobody can mean.
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

/// Refuses a retention of nothing, or for longer than anybody could need.
pub(super) fn check_retention(days: u32) -> Result<(), Error> {
    match (1..=MAX_RETENTION_DAYS).contains(&days) {
        true => Ok(()),
        false => Err(Error::InvalidRetention { days, most: MAX_RETENTION_DAYS }),
    }
}
