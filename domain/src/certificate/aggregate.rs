//! State of a device certificate and its decisions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CertificateCommand, CertificateEvent, Error, RevocationCode};
use crate::aggregate::{Decide, aggregate};
use crate::ids::{CertificateId, DeviceId};

/// The state of a device certificate, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// What was issued; absent until then.
    pub issued: Option<Issued>,
    /// What takes its place, if something does.
    #[serde(default)]
    pub renewed: Option<Renewal>,
    /// Why it is revoked, if it is.
    pub revoked: Option<RevocationCode>,
    /// Whether its coming expiry was recorded.
    pub expiring: bool,
    /// Whether people were told of it.
    #[serde(default)]
    pub announced: bool,
    /// Whether the end of its validity was noted.
    pub expired: bool,
}

/// What takes a certificate's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The other certificate.
    pub successor: CertificateId,
    /// When the old one is revoked as superseded; absent, it lasts as long as it is valid.
    pub overlap_ends_at: Option<DateTime<Utc>>,
}

/// What was issued.
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
            C::NoteExpiring {} if self.expiring || self.is_over() => Ok(vec![]),
            C::NoteExpiring {} => Ok(vec![CertificateEvent::CertificateExpiring {}]),
            C::NoteAnnounced { .. } if self.announced || !self.expiring || self.is_over() => Ok(vec![]),
            C::NoteAnnounced { recipients } => Ok(vec![CertificateEvent::CertificateExpiryAnnounced { recipients }]),
            C::NoteExpired {} if self.is_over() => Ok(vec![]),
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
    /// Tells whether it is revoked or its validity is known to have ended.
    pub fn is_over(&self) -> bool {
        self.revoked.is_some() || self.expired
    }

    /// An overlap may still begin where it had none; an overlap that runs is neither prolonged nor cut short.
    fn renew(&self, renewal: Renewal) -> Vec<CertificateEvent> {
        let runs = self.renewed.is_some_and(|known| known.overlap_ends_at.is_some());
        if self.is_over() || runs || self.renewed == Some(renewal) {
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
