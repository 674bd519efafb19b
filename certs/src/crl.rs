//! Certificate revocation lists (RFC 5280, section 5): one for each CA.

use chrono::{DateTime, Utc};
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::ca::{CertificateAuthority, to_time};
use crate::error::Error;
use crate::serial::Serial;

/// Why a certificate is revoked (RFC 5280, 5.3.1); `certificateHold` and `removeFromCRL` are not supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// No reason is given; the entry then carries none.
    #[default]
    Unspecified,
    /// The device's private key was compromised.
    KeyCompromise,
    /// The CA's private key was compromised.
    CaCompromise,
    /// The device belongs to another organisation now.
    AffiliationChanged,
    /// A newer certificate has taken its place.
    Superseded,
    /// The device is decommissioned.
    CessationOfOperation,
    /// The device may no longer connect.
    PrivilegeWithdrawn,
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlEntry {
    /// The certificate's serial number.
    pub serial: Serial,
    /// When it was revoked.
    pub revoked_at: DateTime<Utc>,
    /// Why.
    pub reason: RevocationReason,
}

/// A signed revocation list.
#[derive(Clone, Debug)]
pub struct Crl {
    /// DER, as HTTP distribution points serve it (`application/pkix-crl`).
    pub der: CertificateRevocationListDer<'static>,
    /// PEM, as brokers read it from a file.
    pub pem: String,
}

/// Why a revocation list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text is not a PEM revocation list.
    #[error("not a PEM revocation list: {0}")]
    Pem(rustls_pki_types::pem::Error),
    /// The content is not a DER revocation list.
    #[error("not a certificate revocation list")]
    Der,
}

/// Reads the serial numbers from a PEM revocation list without verifying its signature.
pub fn serials(pem: &[u8]) -> Result<Vec<Serial>, ReadError> {
    let der = CertificateRevocationListDer::from_pem_slice(pem).map_err(ReadError::Pem)?;
    let (_, list) = CertificateRevocationList::from_der(der.as_ref()).map_err(|_| ReadError::Der)?;
    list.iter_revoked_certificates()
        .map(|one| Serial::from_bytes(one.raw_serial()).map_err(|_| ReadError::Der))
        .collect()
}

pub(crate) fn sign(
    ca: &CertificateAuthority,
    entries: &[CrlEntry],
    number: u64,
    now: DateTime<Utc>,
    next_update: DateTime<Utc>,
) -> Result<Crl, Error> {
    // Compared in whole seconds, the resolution of times in a list.
    if next_update.timestamp() <= now.timestamp() {
        return Err(Error::NextUpdate);
    }
    let list = CertificateRevocationListParams {
        this_update: to_time(now)?,
        next_update: to_time(next_update)?,
        crl_number: number.into(),
        issuing_distribution_point: None,
        revoked_certs: entries.iter().map(revoked).collect::<Result<_, _>>()?,
        key_identifier_method: KeyIdMethod::Sha256,
    }
    .signed_by(&ca.issuer)
    .map_err(Error::Sign)?;
    Ok(Crl { pem: list.pem().map_err(Error::Sign)?, der: list.into() })
}

fn revoked(entry: &CrlEntry) -> Result<RevokedCertParams, Error> {
    use rcgen::RevocationReason as Code;
    let reason_code = match entry.reason {
        RevocationReason::Unspecified => None,
        RevocationReason::KeyCompromise => Some(Code::KeyCompromise),
        RevocationReason::CaCompromise => Some(Code::CaCompromise),
        RevocationReason::AffiliationChanged => Some(Code::AffiliationChanged),
        RevocationReason::Superseded => Some(Code::Superseded),
        RevocationReason::CessationOfOperation => Some(Code::CessationOfOperation),
        RevocationReason::PrivilegeWithdrawn => Some(Code::PrivilegeWithdrawn),
    };
    Ok(RevokedCertParams {
        serial_number: entry.serial.to_rcgen(),
        revocation_time: to_time(entry.revoked_at)?,
        reason_code,
        invalidity_date: None,
    })
}
