//! What root and organisation CAs share: a key pair with its certificate, signing, and sealing the key for storage.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::error::Error;
use crate::identity;
use crate::master_key::MasterKey;
use crate::private_key_pem::PrivateKeyPem;
use crate::serial::Serial;

/// How far notBefore is set before the time of issuing, so that a device whose clock is slow accepts the certificate.
pub(crate) const BACKDATED: TimeDelta = TimeDelta::minutes(5);

/// A stored CA: the certificate in clear text, the private key encrypted under the master key. The certificate's
/// subject key identifier is authenticated with it, so a sealed key cannot be combined with another certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedAuthority {
    /// The CA's certificate, PEM.
    pub certificate_pem: String,
    /// The CA's PKCS #8 key as [`MasterKey::seal`] writes it.
    pub sealed_key: String,
}

pub(crate) struct CertificateAuthority {
    pub certificate_pem: String,
    pub certificate: CertificateDer<'static>,
    pub not_after: DateTime<Utc>,
    pub issuer: Issuer<'static, KeyPair>,
}

/// A newly signed certificate.
pub(crate) struct Signed {
    pub certificate: CertificateDer<'static>,
    pub certificate_pem: String,
    pub serial: Serial,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
}

impl CertificateAuthority {
    /// Signs a public key into a certificate with a random serial, valid from shortly before `now`.
    pub fn sign(
        &self,
        mut parameters: CertificateParams,
        public_key: &impl PublicKeyData,
        now: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<Signed, Error> {
        if whole_seconds(not_after) > self.not_after {
            return Err(Error::OutlivesAuthority { not_after, authority_not_after: self.not_after });
        }
        let serial = draw_serial()?;
        parameters.serial_number = Some(serial.to_rcgen());
        parameters.not_before = to_time(now - BACKDATED)?;
        parameters.not_after = to_time(not_after)?;
        parameters.use_authority_key_identifier_extension = true;
        let certificate = parameters.signed_by(public_key, &self.issuer).map_err(Error::Sign)?;
        Ok(Signed {
            certificate_pem: certificate.pem(),
            certificate: certificate.into(),
            serial,
            not_before: whole_seconds(now - BACKDATED),
            not_after: whole_seconds(not_after),
        })
    }

    pub fn seal(&self, master: &MasterKey) -> Result<SealedAuthority, Error> {
        let context = seal_context(&self.key_id());
        let sealed_key = master.seal(&context, self.issuer.key().serialized_der()).map_err(Error::MasterKey)?;
        Ok(SealedAuthority { certificate_pem: self.certificate_pem.clone(), sealed_key })
    }

    pub fn open(sealed: &SealedAuthority, master: &MasterKey) -> Result<CertificateAuthority, Error> {
        let certificate = pem_to_der(&sealed.certificate_pem)?;
        let key_id = identity::subject_key_id(&certificate).map_err(Error::Certificate)?;
        let key_der = master.open(&seal_context(&key_id), &sealed.sealed_key).map_err(Error::MasterKey)?;
        let key = key_pair(&key_der)?;
        CertificateAuthority::from_parts(certificate, sealed.certificate_pem.clone(), key)
    }

    /// Combines a CA certificate with its private key; refuses a key that does not belong to it.
    pub fn from_parts(
        certificate: CertificateDer<'static>,
        certificate_pem: String,
        key: KeyPair,
    ) -> Result<CertificateAuthority, Error> {
        let not_after = {
            let parsed = identity::parse(&certificate).map_err(Error::Certificate)?;
            if parsed.public_key().raw != key.subject_public_key_info() {
                return Err(Error::KeyMismatch);
            }
            identity::validity(&parsed).map_err(Error::Certificate)?.1
        };
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(Error::Sign)?;
        Ok(CertificateAuthority { certificate_pem, certificate, not_after, issuer })
    }

    /// Returns a copy of the private key.
    pub fn key(&self) -> Result<KeyPair, Error> {
        key_pair(self.issuer.key().serialized_der())
    }

    /// The subject key identifier, hex: RFC 7093 method 1, as rcgen derives it.
    pub fn key_id(&self) -> String {
        identity::subject_key_id(&self.certificate).unwrap_or_default()
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CertificateAuthority")
            .field("key_id", &self.key_id())
            .field("not_after", &self.not_after)
            .field("private_key", &"redacted")
            .finish()
    }
}

/// Parameters of a CA certificate that may have `path_length` CAs below it. The CN ends in the key's identifier, so
/// that no two CAs share a name: issuers, and with them revocation lists, are found by name.
pub(crate) fn ca_parameters(organization: &str, title: &str, key: &KeyPair, path_length: u8) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let key_id = HEXLOWER.encode(&parameters.key_identifier(key));
    parameters.distinguished_name = distinguished_name(organization, &format!("{title} {}", &key_id[..8]));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

pub(crate) fn distinguished_name(organization: &str, common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organization);
    name.push(DnType::CommonName, common_name);
    name
}

pub(crate) fn draw_serial() -> Result<Serial, Error> {
    Serial::random().map_err(|_| Error::Randomness)
}

pub(crate) fn generate_key() -> Result<KeyPair, Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::Sign)
}

fn key_pair(der: &[u8]) -> Result<KeyPair, Error> {
    let der = PrivatePkcs8KeyDer::from(der);
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).map_err(Error::Sign)
}

pub(crate) fn private_key_pem(key: &KeyPair) -> PrivateKeyPem {
    PrivateKeyPem::new(key.serialize_pem())
}

pub(crate) fn pem_to_der(pem: &str) -> Result<CertificateDer<'static>, Error> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(Error::Pem)
}

pub(crate) fn to_time(at: DateTime<Utc>) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp(at.timestamp()).map_err(|_| Error::Time(at))
}

/// Rounds down to whole seconds, the resolution of times in certificates.
pub(crate) fn whole_seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

/// Returns the end of a validity of `days` days, 1 to 3,650.
pub(crate) fn end_of_validity(now: DateTime<Utc>, days: u32) -> Result<DateTime<Utc>, Error> {
    if !(1..=3_650).contains(&days) {
        return Err(Error::ValidityDays(days));
    }
    Ok(now + TimeDelta::days(i64::from(days)))
}

pub(crate) fn fingerprint_sha256(certificate: &CertificateDer<'_>) -> String {
    HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate).as_ref())
}

fn seal_context(key_id: &str) -> String {
    format!("ca-key:{key_id}")
}
