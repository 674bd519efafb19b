//! The root CA: the trust anchor of devices and listeners. It signs organisation CAs and server certificates, never
//! device certificates.

use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use rustls_pki_types::CertificateDer;
use uuid::Uuid;

use crate::ca::{
    BACKDATED, CertificateAuthority, SealedAuthority, ca_parameters, distinguished_name, draw_serial, end_of_validity,
    generate_key, private_key_pem, to_time,
};
use crate::crl::{self, Crl, CrlEntry};
use crate::error::Error;
use crate::identity;
use crate::master_key::MasterKey;
use crate::organization_ca::Authority;
use crate::private_key_pem::PrivateKeyPem;
use crate::serial::Serial;
use crate::server_names::ServerNames;

const ROOT_VALIDITY: TimeDelta = TimeDelta::days(20 * 365);
/// Validity of an organisation's CA: a year longer than the longest of a device, so that a CA from which devices get the
/// longest is renewed once a year.
const ORGANIZATION_VALIDITY: TimeDelta = TimeDelta::days(11 * 365);

/// The root CA with its private key in memory.
#[derive(Debug)]
pub struct RootAuthority(pub(crate) CertificateAuthority);

/// A server certificate signed by the root, with its key.
#[derive(Clone, Debug)]
pub struct IssuedServer {
    /// The certificate, PEM; the server presents it alone.
    pub certificate_pem: String,
    /// Its key, PKCS #8 PEM.
    pub private_key_pem: PrivateKeyPem,
    /// Its serial number.
    pub serial: Serial,
    /// Its last second of validity.
    pub not_after: DateTime<Utc>,
}

impl RootAuthority {
    /// Creates a root CA with a new P-256 key, valid for 20 years. Its CN is `name` and the key's identifier.
    pub fn create(name: &str, now: DateTime<Utc>) -> Result<RootAuthority, Error> {
        let key = generate_key()?;
        // Path length 1: below the root there are only organisation CAs.
        let mut parameters = ca_parameters("Argusiq", name, &key, 1);
        parameters.serial_number = Some(draw_serial()?.to_rcgen());
        parameters.not_before = to_time(now - BACKDATED)?;
        parameters.not_after = to_time(now + ROOT_VALIDITY)?;
        let certificate = parameters.self_signed(&key).map_err(Error::Sign)?;
        let pem = certificate.pem();
        CertificateAuthority::from_parts(certificate.into(), pem, key).map(RootAuthority)
    }

    /// Creates the intermediate CA of an organisation, valid for 11 years or until the root expires, whichever is
    /// earlier.
    pub fn issue_organization_authority(&self, organization: Uuid, now: DateTime<Utc>) -> Result<Authority, Error> {
        self.certify_authority(organization, generate_key()?, now, now)
    }

    /// Issues the CA of an organisation a new certificate for the same key and name, valid until the end of a new CA's.
    /// Under it, what the CA has signed so far stays valid.
    pub fn renew_organization_authority(&self, present: &Authority, now: DateTime<Utc>) -> Result<Authority, Error> {
        // It begins when the present one did, so that a process whose clock is slow does not refuse every device.
        let (not_before, _) = identity::parse(present.certificate())
            .and_then(|certificate| identity::validity(&certificate))
            .map_err(Error::Certificate)?;
        self.certify_authority(present.organization(), present.key()?, not_before + BACKDATED, now)
    }

    fn certify_authority(
        &self,
        organization: Uuid,
        key: KeyPair,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Authority, Error> {
        // Path length 0: an organisation's CA issues no further CAs.
        let mut parameters = ca_parameters(&organization.to_string(), "Argusiq organisation CA", &key, 0);
        // Only clientAuth, so that it cannot issue a server certificate that devices would trust.
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let not_after = (now + ORGANIZATION_VALIDITY).min(self.0.not_after);
        let signed = self.0.sign(parameters, &key, since, not_after)?;
        let ca = CertificateAuthority::from_parts(signed.certificate, signed.certificate_pem, key)?;
        Authority::new(ca)
    }

    /// Generates a server's key and issues its certificate for the given names, valid for `days` (1 to 3,650).
    pub fn issue_server_certificate(
        &self,
        names: &ServerNames,
        days: u32,
        now: DateTime<Utc>,
    ) -> Result<IssuedServer, Error> {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name = distinguished_name("Argusiq", "Argusiq server");
        parameters.subject_alt_names = names.to_rcgen().map_err(Error::Sign)?;
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = generate_key()?;
        let signed = self.0.sign(parameters, &key, now, end_of_validity(now, days)?)?;
        Ok(IssuedServer {
            certificate_pem: signed.certificate_pem,
            private_key_pem: private_key_pem(&key),
            serial: signed.serial,
            not_after: signed.not_after,
        })
    }

    /// Signs the list of revoked organisation CAs and server certificates.
    pub fn crl(
        &self,
        entries: &[CrlEntry],
        number: u64,
        now: DateTime<Utc>,
        next_update: DateTime<Utc>,
    ) -> Result<Crl, Error> {
        crl::sign(&self.0, entries, number, now, next_update)
    }

    /// Returns the root certificate, PEM: the trust anchor of devices and servers.
    pub fn certificate_pem(&self) -> &str {
        &self.0.certificate_pem
    }

    /// Returns the root certificate, DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.0.certificate
    }

    /// Encrypts the private key for storage.
    pub fn seal(&self, master: &MasterKey) -> Result<SealedAuthority, Error> {
        self.0.seal(master)
    }
}

impl SealedAuthority {
    /// Opens a sealed root CA.
    pub fn open_root(&self, master: &MasterKey) -> Result<RootAuthority, Error> {
        CertificateAuthority::open(self, master).map(RootAuthority)
    }

    /// Opens a sealed organisation CA.
    pub fn open(&self, master: &MasterKey) -> Result<Authority, Error> {
        Authority::new(CertificateAuthority::open(self, master)?)
    }
}
