//! Shared by the certificate tests: a fixed time, a small PKI, and forged certificates that the library itself refuses
//! to issue.
#![allow(dead_code)]

use certs::{Authority, MasterKey, RootAuthority, identity};
use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use uuid::Uuid;

/// The organisation whose certificates the tests expect.
pub const OURS: Uuid = Uuid::from_u128(0xaaaa);
/// Another organisation under the same root.
pub const THEIRS: Uuid = Uuid::from_u128(0xbbbb);
/// A device of `OURS`.
pub const DEVICE: Uuid = Uuid::from_u128(0xd1);

/// Returns the fixed time of the tests: 2027-01-15 08:00 UTC.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub fn days(count: i64) -> TimeDelta {
    TimeDelta::days(count)
}

/// A root CA with the CAs of two organisations.
pub struct Pki {
    pub root: RootAuthority,
    pub ours: Authority,
    pub theirs: Authority,
}

pub fn pki() -> Pki {
    let root = RootAuthority::create("test root", now()).unwrap();
    let ours = root.issue_organization_authority(OURS, now()).unwrap();
    let theirs = root.issue_organization_authority(THEIRS, now()).unwrap();
    Pki { root, ours, theirs }
}

/// Decodes a PEM chain.
pub fn der(chain_pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(chain_pem.as_bytes()).map(Result::unwrap).collect()
}

/// Returns the private key of an organisation's CA, which the library gives out only in sealed form.
pub fn key_of(authority: &Authority) -> KeyPair {
    let master = MasterKey::generate().unwrap();
    let sealed = authority.seal(&master).unwrap();
    let key = master.open(&format!("ca-key:{}", authority.key_id()), &sealed.sealed_key).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.as_slice());
    KeyPair::from_pkcs8_der_and_sign_algo(&key, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

/// A certificate with arbitrary content, signed with the key of `signer` in the name of `issuer`.
pub struct Forgery<'a> {
    pub signer: &'a Authority,
    pub issuer: &'a Authority,
    pub common_name: String,
    pub organization: String,
    pub uri: String,
    pub usage: ExtendedKeyUsagePurpose,
}

impl Forgery<'_> {
    /// Describes a certificate of `DEVICE` in `OURS`, signed by `authority`; tests then change single fields.
    pub fn of(authority: &Authority) -> Forgery<'_> {
        Forgery {
            signer: authority,
            issuer: authority,
            common_name: DEVICE.to_string(),
            organization: OURS.to_string(),
            uri: identity::device_uri(OURS, DEVICE),
            usage: ExtendedKeyUsagePurpose::ClientAuth,
        }
    }

    /// Signs the certificate; returns it with the private key of its subject.
    pub fn sign(self) -> (CertificateDer<'static>, KeyPair) {
        let mut parameters = CertificateParams::default();
        parameters.not_before = time::OffsetDateTime::from_unix_timestamp(now().timestamp() - 60).unwrap();
        parameters.not_after = time::OffsetDateTime::from_unix_timestamp(now().timestamp() + 86_400).unwrap();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, self.organization);
        parameters.distinguished_name.push(DnType::CommonName, self.common_name);
        parameters.subject_alt_names = vec![SanType::URI(self.uri.try_into().unwrap())];
        parameters.extended_key_usages = vec![self.usage];
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_ca_cert_der(self.issuer.certificate(), key_of(self.signer)).unwrap();
        (parameters.signed_by(&key, &issuer).unwrap().into(), key)
    }
}
