//! State of a device certificate and its decisions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CertificateCommand, CertificateEvent, Error, RevocationCode};
use crate::aggregate::{Decide, aggregate};
use crate::ids::{CertificateId, DeviceId};

/// The state of a device certificate, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The issued certificate; `None` until it is issued.
    pub issued: Option<Issued>,
    /// The renewal that replaces it, if any.
    #[serde(default)]
    pub renewed: Option<Renewal>,
    /// The reason of its revocation, if it is revoked.
    pub revoked: Option<RevocationCode>,
    /// Whether its coming expiry was recorded.
    pub expiring: bool,
    /// Whether the coming expiry was announced by e-mail.
    #[serde(default)]
    pub announced: bool,
    /// Whether its expiry was recorded.
    pub expired: bool,
}

/// The renewal that replaces a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The new certificate.
    pub successor: CertificateId,
    /// When the old certificate is revoked as superseded; when absent, it stays valid until it expires.
    pub overlap_ends_at: Option<DateTime<Utc>>,
}

/// An issued certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    /// The device that holds the certificate.
    pub device_id: DeviceId,
    /// Serial number, lower-case hex.
    pub serial_number: String,
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint_sha256: String,
    /// Start of validity.
    pub not_before: DateTime<Utc>,
    /// End of validity.
    pub not_after: DateTime<Utc>,
}

impl Decide for Certificate {
    type Command = CertificateCommand;
    type Event = CertificateEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use CertificateCommand as C;
        match command {
            C::IssueCertificate { .. } if self.issued.is_some() => Err(Error::AlreadyIssued),
            C::IssueCertificate {
                device_id,
                serial_number,
                certificate_pem,
                fingerprint_sha256,
                not_before,
                not_after,
            } if not_before < not_after => Ok(vec![CertificateEvent::CertificateIssued {
                device_id,
                serial_number,
                certificate_pem,
                fingerprint_sha256,
                not_before,
                not_after,
            }]),
            C::IssueCertificate { .. } => Err(Error::InvalidWindow),
            _ if self.issued.is_none() => Err(Error::NotFound),
            C::NoteRenewed { successor, overlap_ends_at } => Ok(self.renew(Renewal { successor, overlap_ends_at })),
            C::RevokeCertificate { reason, code } => self.revoke(reason, code),
            C::NoteExpiring {} if self.expiring || self.has_ended() => Ok(vec![]),
            C::NoteExpiring {} => Ok(vec![CertificateEvent::CertificateExpiring {}]),
            C::NoteAnnounced { .. } if self.announced || !self.expiring || self.has_ended() => Ok(vec![]),
            C::NoteAnnounced { recipients } => Ok(vec![CertificateEvent::CertificateExpiryAnnounced { recipients }]),
            C::NoteExpired {} if self.has_ended() => Ok(vec![]),
            C::NoteExpired {} => Ok(vec![CertificateEvent::CertificateExpired {}]),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            CertificateEvent::CertificateIssued {
                device_id,
                serial_number,
                certificate_pem,
                fingerprint_sha256,
                not_before,
                not_after,
            } => {
                self.issued = Some(Issued {
                    device_id,
                    serial_number,
                    certificate_pem,
                    fingerprint_sha256,
                    not_before,
                    not_after,
                });
            }
            CertificateEvent::CertificateRenewed { successor, overlap_ends_at } => {
                self.renewed = Some(Renewal { successor, overlap_ends_at });
            }
            CertificateEvent::CertificateRevoked { code, .. } => self.revoked = Some(code),
            CertificateEvent::CertificateExpiring {} => self.expiring = true,
            CertificateEvent::CertificateExpiryAnnounced { .. } => self.announced = true,
            CertificateEvent::CertificateExpired {} => self.expired = true,
        }
    }
}

aggregate!(Certificate, "certificate");

impl Certificate {
    /// Returns whether it is revoked or known to have expired.
    pub fn has_ended(&self) -> bool {
        self.revoked.is_some() || self.expired
    }

    /// Records a renewal. An overlap can be set where there was none, but a running overlap is neither extended nor
    /// shortened.
    fn renew(&self, renewal: Renewal) -> Vec<CertificateEvent> {
        let runs = self.renewed.is_some_and(|known| known.overlap_ends_at.is_some());
        if self.has_ended() || runs || self.renewed == Some(renewal) {
            return vec![];
        }
        let Renewal { successor, overlap_ends_at } = renewal;
        vec![CertificateEvent::CertificateRenewed { successor, overlap_ends_at }]
    }

    fn revoke(&self, reason: String, code: RevocationCode) -> Result<Vec<CertificateEvent>, Error> {
        match self.revoked {
            None => Ok(vec![CertificateEvent::CertificateRevoked { reason, code }]),
            Some(present) if present == code => Ok(vec![]),
            Some(_) => Err(Error::AlreadyRevoked),
        }
    }
}
