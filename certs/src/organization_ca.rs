//! The intermediate CA of an organisation: issues device certificates and signs the organisation's revocation list.

use chrono::{DateTime, Utc};
use rcgen::{
    CertificateParams, CrlDistributionPoint, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData,
    SanType, SubjectPublicKeyInfo,
};
use rustls_pki_types::CertificateDer;
use uuid::Uuid;

use crate::ca::{
    CertificateAuthority, SealedAuthority, distinguished_name, end_of_validity, fingerprint_sha256, generate_key,
    pem_to_der, private_key_pem,
};
use crate::crl::{self, Crl, CrlEntry};
use crate::error::Error;
use crate::master_key::MasterKey;
use crate::private_key_pem::PrivateKeyPem;
use crate::serial::Serial;
use crate::{csr, identity};

/// The intermediate CA of one organisation with its private key in memory. It signs for its own organisation only.
#[derive(Debug)]
pub struct Authority {
    ca: CertificateAuthority,
    organization: Uuid,
    crl_url: Option<String>,
}

/// A newly issued device certificate, with everything a device needs to connect.
#[derive(Clone, Debug)]
pub struct IssuedDevice {
    /// The device's certificate, PEM.
    pub certificate_pem: String,
    /// The device's key, PKCS #8 PEM: present if generated here, absent if the device sent a signing request.
    pub private_key_pem: Option<PrivateKeyPem>,
    /// The device's certificate followed by the organisation CA's: what the device presents.
    pub chain_pem: String,
    /// The certificate's serial number.
    pub serial: Serial,
    /// First second of validity, five minutes before issuing.
    pub not_before: DateTime<Utc>,
    /// Last second of validity.
    pub not_after: DateTime<Utc>,
    /// SHA-256 over the DER certificate, lower-case hex.
    pub fingerprint_sha256: String,
}

impl Authority {
    pub(crate) fn new(ca: CertificateAuthority) -> Result<Authority, Error> {
        let organization = identity::organization_of(&ca.certificate).map_err(Error::Certificate)?;
        Ok(Authority { ca, organization, crl_url: None })
    }

    pub(crate) fn key(&self) -> Result<KeyPair, Error> {
        self.ca.key()
    }

    /// Writes this HTTP address as the CRL distribution point into every certificate issued from now on, for brokers
    /// that fetch revocation lists themselves.
    pub fn with_crl_url(mut self, url: &str) -> Result<Authority, Error> {
        if !url.is_ascii() || !url.starts_with("http") {
            return Err(Error::CrlUrl(url.to_owned()));
        }
        self.crl_url = Some(url.to_owned());
        Ok(self)
    }

    /// Generates a P-256 key and issues its certificate for a device, valid for `days` (1 to 3,650, within the CA's own
    /// validity).
    pub fn issue_device(&self, device: Uuid, days: u32, now: DateTime<Utc>) -> Result<IssuedDevice, Error> {
        let key = generate_key()?;
        let issued = self.certify(&key, device, days, now)?;
        Ok(IssuedDevice { private_key_pem: Some(private_key_pem(&key)), ..issued })
    }

    /// Issues a certificate for the key of a PEM signing request (PKCS #10). The request only proves possession of the
    /// key: its subject and extensions are not copied, and a request that names another device is refused.
    pub fn sign_csr(
        &self,
        csr_pem: &str,
        subject: csr::Subject<'_>,
        days: u32,
        now: DateTime<Utc>,
    ) -> Result<IssuedDevice, Error> {
        let public_key = csr::public_key(csr_pem, self.organization, subject).map_err(Error::Csr)?;
        self.certify(&public_key, subject.device, days, now)
    }

    /// Issues a new certificate for the key and device of an existing certificate of this CA: certificate renewal in
    /// the sense of RFC 3647, section 4.4.6.
    pub fn renew_device(&self, certificate_pem: &str, days: u32, now: DateTime<Utc>) -> Result<IssuedDevice, Error> {
        let der = pem_to_der(certificate_pem)?;
        let (device, public_key) = {
            let own = identity::parse(&der).map_err(Error::Certificate)?;
            let ca = identity::parse(&self.ca.certificate).map_err(Error::Certificate)?;
            identity::check_signature(&own, &ca, "device certificate", "organisation CA")
                .map_err(Error::Certificate)?;
            // The signature is verified, so the names in the certificate can be trusted.
            let device = identity::identity(std::slice::from_ref(&der)).map_err(Error::Certificate)?.device;
            (device, SubjectPublicKeyInfo::from_der(own.public_key().raw).map_err(Error::Sign)?)
        };
        self.certify(&public_key, device, days, now)
    }

    /// Signs the organisation's revocation list. `number` must increase with every list (RFC 5280, 5.2.3).
    pub fn crl(
        &self,
        entries: &[CrlEntry],
        number: u64,
        now: DateTime<Utc>,
        next_update: DateTime<Utc>,
    ) -> Result<Crl, Error> {
        crl::sign(&self.ca, entries, number, now, next_update)
    }

    /// Returns the organisation this CA signs for.
    pub fn organization(&self) -> Uuid {
        self.organization
    }

    /// Returns the CA's certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.ca.certificate_pem
    }

    /// Returns the CA's certificate, DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.ca.certificate
    }

    /// Returns the CA's subject key identifier, hex; its device certificates carry it as their authority key
    /// identifier.
    pub fn key_id(&self) -> String {
        self.ca.key_id()
    }

    /// Returns the CA's last second of validity.
    pub fn not_after(&self) -> DateTime<Utc> {
        self.ca.not_after
    }

    /// Encrypts the private key for storage.
    pub fn seal(&self, master: &MasterKey) -> Result<SealedAuthority, Error> {
        self.ca.seal(master)
    }

    fn certify(
        &self,
        public_key: &impl PublicKeyData,
        device: Uuid,
        days: u32,
        now: DateTime<Utc>,
    ) -> Result<IssuedDevice, Error> {
        let parameters = self.device_parameters(device)?;
        let signed = self.ca.sign(parameters, public_key, now, end_of_validity(now, days)?)?;
        Ok(IssuedDevice {
            chain_pem: format!("{}{}", signed.certificate_pem, self.ca.certificate_pem),
            fingerprint_sha256: fingerprint_sha256(&signed.certificate),
            certificate_pem: signed.certificate_pem,
            private_key_pem: None,
            serial: signed.serial,
            not_before: signed.not_before,
            not_after: signed.not_after,
        })
    }

    fn device_parameters(&self, device: Uuid) -> Result<CertificateParams, Error> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = distinguished_name(&self.organization.to_string(), &device.to_string());
        let uri = identity::device_uri(self.organization, device);
        parameters.subject_alt_names = vec![SanType::URI(uri.try_into().map_err(Error::Sign)?)];
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        parameters.crl_distribution_points =
            self.crl_url.iter().map(|url| CrlDistributionPoint { uris: vec![url.clone()] }).collect();
        Ok(parameters)
    }
}
