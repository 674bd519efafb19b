//! Issues the next certificate of a device.

use certs::{Authority, IssuedDevice, PrivateKeyPem, csr};
use chrono::{DateTime, Utc};
use domain::certificate::{Certificate, CertificateCommand, Error as CertificateRefusal, Issued};
use domain::ids::{CertificateId, DeviceId, OrganizationId};

use super::numbered_certificates::certificate_id;
use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::{Cause, Error};

/// A device certificate with its chain and, the first time, its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate's id.
    pub id: CertificateId,
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Its private key, PKCS #8 PEM: returned once and never stored, so absent from the response to a repeat.
    pub private_key_pem: Option<PrivateKeyPem>,
    /// The certificate followed by the organisation CA's, PEM: what the device presents.
    pub chain_pem: String,
    /// Serial number, lower-case hex.
    pub serial_number: String,
    /// Start of validity.
    pub not_before: DateTime<Utc>,
    /// End of validity.
    pub not_after: DateTime<Utc>,
}

/// The source of a certificate's key.
#[derive(Clone, Copy)]
pub(super) enum KeySource<'a> {
    /// Generate a key pair; the private key is returned once.
    Generate,
    /// Certify the device's own key: a PEM signing request proves that the device holds it.
    Csr {
        /// The request.
        pem: &'a str,
        /// The device's serial number, which the request may name.
        serial_number: Option<&'a str>,
    },
    /// Certify the key of an earlier certificate (PEM) again.
    Certificate(&'a str),
}

/// A certificate that is signed but not issued: no event records it yet.
pub(super) struct SignedCertificate {
    authority: Authority,
    signed: IssuedDevice,
}

impl Commands {
    /// Signs a certificate for a device. Called before anything is stored, so that a refusal leaves nothing to undo.
    pub(super) async fn sign_certificate(
        &self,
        organization: OrganizationId,
        device: DeviceId,
        key: KeySource<'_>,
        days: u32,
    ) -> Result<SignedCertificate, Error<Refusal>> {
        let sign = |authority: &Authority| match key {
            KeySource::Generate => authority.issue_device(device.0, days, self.now()),
            KeySource::Csr { pem, serial_number } => {
                authority.sign_csr(pem, csr::Subject { device: device.0, serial_number }, days, self.now())
            }
            KeySource::Certificate(pem) => authority.renew_device(pem, days, self.now()),
        };
        let signed = self.sign_with_authority(organization, sign).await.map_err(Error::widen)?;
        let (authority, signed) = signed.ok_or(Error::Refused(Refusal::NoAuthority))?;
        let signed = signed.map_err(|error| refused(error, self.now()))?;
        self.refuse_compromised_key(key, &signed.certificate_pem).await?;
        Ok(SignedCertificate { authority, signed })
    }

    /// Issues a signed certificate as the device's next one. If the same step has issued one before, returns that one.
    pub(super) async fn issue(
        &self,
        step: &CommandContext,
        device: DeviceId,
        prepared: SignedCertificate,
    ) -> Result<(IssuedCertificate, Receipt), Error<Refusal>> {
        let SignedCertificate { authority, signed } = prepared;
        // A device's certificates are numbered without gaps: search from 0 for this step's certificate or a free
        // number.
        let mut number = 0;
        loop {
            let loaded = self.certificate(step.organization, device, number).await.map_err(Error::widen)?;
            if let Some(receipt) = recent_receipt(&loaded, step.command_id) {
                return Ok((from_stored(&authority, certificate_id(device, number), loaded.state.issued)?, receipt));
            }
            if loaded.exists() {
                number += 1;
                continue;
            }
            let id = certificate_id(device, number);
            match self.execute::<Certificate>(step, id.0, command(device, &signed)).await {
                Ok(receipt) if !receipt.repeated => return Ok((from_signed(id, signed), receipt)),
                // A concurrent command has issued this number, perhaps an attempt of this very step: look again.
                Ok(_) | Err(Error::Refused(CertificateRefusal::AlreadyIssued)) => {}
                Err(error) => return Err(error.map_refused(Refusal::Certificate)),
            }
        }
    }
}

impl Commands {
    /// Returns an issued certificate with its chain, without the private key.
    pub(super) async fn stored_certificate(
        &self,
        organization: OrganizationId,
        id: CertificateId,
        issued: Option<Issued>,
    ) -> Result<IssuedCertificate, Error<Refusal>> {
        let opened = self.inner.vault.authority(&self.inner.keys, organization).await.map_err(Error::widen)?;
        from_stored(&opened.ok_or(Error::Refused(Refusal::NoAuthority))?, id, issued)
    }
}

fn command(device_id: DeviceId, signed: &IssuedDevice) -> CertificateCommand {
    CertificateCommand::IssueCertificate {
        device_id,
        serial_number: signed.serial.to_string(),
        certificate_pem: signed.certificate_pem.clone(),
        fingerprint_sha256: signed.fingerprint_sha256.clone(),
        not_before: signed.not_before,
        not_after: signed.not_after,
    }
}

fn from_signed(id: CertificateId, signed: IssuedDevice) -> IssuedCertificate {
    IssuedCertificate {
        id,
        certificate_pem: signed.certificate_pem,
        private_key_pem: signed.private_key_pem,
        chain_pem: signed.chain_pem,
        serial_number: signed.serial.to_string(),
        not_before: signed.not_before,
        not_after: signed.not_after,
    }
}

fn from_stored(
    authority: &Authority,
    id: CertificateId,
    issued: Option<Issued>,
) -> Result<IssuedCertificate, Error<Refusal>> {
    let issued = issued.ok_or_else(|| Error::Internal(Cause::from("a certificate has no issue event")))?;
    Ok(IssuedCertificate {
        id,
        chain_pem: format!("{}{}", issued.certificate_pem, authority.certificate_pem()),
        certificate_pem: issued.certificate_pem,
        private_key_pem: None,
        serial_number: issued.serial_number,
        not_before: issued.not_before,
        not_after: issued.not_after,
    })
}

fn refused(error: certs::Error, now: DateTime<Utc>) -> Error<Refusal> {
    use certs::Error as E;
    match error {
        E::ValidityDays(days) => Error::Refused(Refusal::InvalidValidity { days }),
        E::OutlivesAuthority { authority_not_after, .. } => {
            let most_days = (authority_not_after - now).num_days().max(0);
            Error::Refused(Refusal::OutlivesAuthority { authority_not_after, most_days })
        }
        E::Csr(error) => Error::Refused(Refusal::SigningRequest(error)),
        other => other.into(),
    }
}
