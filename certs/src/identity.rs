//! Reads device certificates and verifies that the CA of the named organisation issued them, without I/O.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use uuid::Uuid;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};
use x509_parser::x509::AttributeTypeAndValue;

use crate::serial::Serial;

/// The identity that a device certificate claims, unverified; [`verify_chain`] verifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The organisation: subject O, issuer O and SAN URI agree on it.
    pub organization: Uuid,
    /// The device: subject CN and SAN URI agree on it.
    pub device: Uuid,
    /// The certificate's serial number.
    pub serial: Serial,
    /// First second of validity.
    pub not_before: DateTime<Utc>,
    /// Last second of validity.
    pub not_after: DateTime<Utc>,
    /// The authority key identifier, lower-case hex: identifies the CA that signed.
    pub issuer_key_id: String,
}

/// Why a certificate is not a valid device certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No certificate was presented.
    #[error("no certificate was presented")]
    Empty,
    /// Not an X.509 certificate, or trailing bytes follow it.
    #[error("not an X.509 certificate")]
    Unreadable,
    /// A field that must occur exactly once is absent, repeated or malformed.
    #[error("the certificate's {0} is absent, repeated or malformed")]
    Field(&'static str),
    /// Two fields name different devices or organisations.
    #[error("the certificate's {0} and {1} disagree")]
    Disagree(&'static str, &'static str),
    /// A CA certificate where a device certificate is expected, or the reverse.
    #[error("{0}")]
    Role(&'static str),
    /// The certificate is not signed by the expected CA.
    #[error("the {0} is not signed by the {1}")]
    Signature(&'static str, &'static str),
    /// Not yet or no longer valid.
    #[error("the {certificate} is valid from {not_before} to {not_after}, not at {at}")]
    NotInDate {
        /// Which certificate of the chain.
        certificate: &'static str,
        /// Its first second.
        not_before: DateTime<Utc>,
        /// Its last second.
        not_after: DateTime<Utc>,
        /// The time of the check.
        at: DateTime<Utc>,
    },
}

/// Reads the identity from the first certificate of a chain and refuses it if its fields disagree. Neither the
/// signature nor the validity period is verified.
pub fn identity(chain_der: &[CertificateDer<'_>]) -> Result<Identity, Error> {
    let leaf = parse(chain_der.first().ok_or(Error::Empty)?)?;
    let device = only_uuid(leaf.subject().iter_common_name(), "subject CN")?;
    let organization = only_uuid(leaf.subject().iter_organization(), "subject O")?;
    if only_uuid(leaf.issuer().iter_organization(), "issuer O")? != organization {
        return Err(Error::Disagree("subject O", "issuer O"));
    }
    if only_uri(&leaf)? != device_uri(organization, device) {
        return Err(Error::Disagree("subject", "SAN URI"));
    }
    let (not_before, not_after) = validity(&leaf)?;
    let serial = Serial::from_bytes(leaf.raw_serial()).map_err(|_| Error::Field("serial number"))?;
    Ok(Identity { organization, device, serial, not_before, not_after, issuer_key_id: authority_key_id(&leaf)? })
}

/// Verifies that a presented chain belongs to a device of the organisation whose CA is `organization_ca`. The leaf must
/// be signed by exactly this CA (another organisation's CA could issue certificates with these names) and be valid for
/// client authentication, the CA must be signed by `root`, and all three must be within their validity at `at`. Other
/// certificates in the chain are ignored. Revocation is not checked; callers look up the returned serial number.
pub fn verify_chain(
    chain_der: &[CertificateDer<'_>],
    root: &CertificateDer<'_>,
    organization_ca: &CertificateDer<'_>,
    at: DateTime<Utc>,
) -> Result<Identity, Error> {
    let identity = identity(chain_der)?;
    let leaf = parse(chain_der.first().ok_or(Error::Empty)?)?;
    let (root, authority) = (parse(root)?, parse(organization_ca)?);
    if only_uuid(authority.subject().iter_organization(), "CA's O")? != identity.organization {
        return Err(Error::Disagree("subject O", "organisation CA's O"));
    }
    for (certificate, name) in [(&root, "root CA"), (&authority, "organisation CA"), (&leaf, "device certificate")] {
        check_date(certificate, name, at)?;
    }
    for ca in [&root, &authority] {
        if !ca.is_ca() {
            return Err(Error::Role("a certificate presented as a CA's is not a CA certificate"));
        }
    }
    check_signature(&authority, &root, "organisation CA", "root CA")?;
    check_signature(&leaf, &authority, "device certificate", "organisation CA")?;
    check_client(&leaf)?;
    Ok(identity)
}

/// Returns the URI in a device certificate: `urn:argusiq:{organisation}:{device}`.
pub fn device_uri(organization: Uuid, device: Uuid) -> String {
    format!("urn:argusiq:{organization}:{device}")
}

/// Returns the SHA-256 digest of the SubjectPublicKeyInfo of a PEM certificate, lower-case hex.
pub fn public_key_digest(certificate_pem: &str) -> Result<String, Error> {
    let der = CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|_| Error::Unreadable)?;
    let certificate = parse(&der)?;
    Ok(HEXLOWER.encode(digest(&SHA256, certificate.public_key().raw).as_ref()))
}

pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(Error::Unreadable),
    }
}

pub(crate) fn validity(certificate: &X509Certificate<'_>) -> Result<(DateTime<Utc>, DateTime<Utc>), Error> {
    let read = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Error::Field("validity"));
    let validity = certificate.validity();
    Ok((read(validity.not_before.timestamp())?, read(validity.not_after.timestamp())?))
}

pub(crate) fn subject_key_id(der: &CertificateDer<'_>) -> Result<String, Error> {
    let certificate = parse(der)?;
    let id = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(HEXLOWER.encode(id.0)),
        _ => None,
    });
    id.ok_or(Error::Field("subject key identifier"))
}

pub(crate) fn organization_of(ca: &CertificateDer<'_>) -> Result<Uuid, Error> {
    let certificate = parse(ca)?;
    if !certificate.is_ca() {
        return Err(Error::Role("a certificate presented as a CA's is not a CA certificate"));
    }
    only_uuid(certificate.subject().iter_organization(), "subject O")
}

pub(crate) fn check_signature(
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
    name: &'static str,
    issuer_name: &'static str,
) -> Result<(), Error> {
    let names_match = same_name(certificate.issuer(), issuer.subject());
    if names_match && certificate.verify_signature(Some(issuer.public_key())).is_ok() {
        Ok(())
    } else {
        Err(Error::Signature(name, issuer_name))
    }
}

fn same_name(left: &X509Name<'_>, right: &X509Name<'_>) -> bool {
    left.as_raw() == right.as_raw()
}

fn check_date(certificate: &X509Certificate<'_>, name: &'static str, at: DateTime<Utc>) -> Result<(), Error> {
    let (not_before, not_after) = validity(certificate)?;
    // The last second is valid to its end: compare whole seconds.
    if at < not_before || at.timestamp() > not_after.timestamp() {
        return Err(Error::NotInDate { certificate: name, not_before, not_after, at });
    }
    Ok(())
}

fn check_client(leaf: &X509Certificate<'_>) -> Result<(), Error> {
    if leaf.is_ca() {
        return Err(Error::Role("a CA certificate is not a device certificate"));
    }
    match leaf.extended_key_usage() {
        Ok(Some(usage)) if usage.value.client_auth => Ok(()),
        _ => Err(Error::Role("the certificate does not permit client authentication")),
    }
}

fn only_uuid<'a>(
    mut attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
    field: &'static str,
) -> Result<Uuid, Error> {
    let (Some(attribute), None) = (attributes.next(), attributes.next()) else {
        return Err(Error::Field(field));
    };
    let text = attribute.as_str().map_err(|_| Error::Field(field))?;
    // Accept only the canonical spelling: another spelling of the same UUID would pass as a different client id or
    // topic.
    let uuid = Uuid::try_parse(text).ok().filter(|uuid| uuid.to_string() == text);
    uuid.ok_or(Error::Field(field))
}

fn only_uri<'a>(certificate: &'a X509Certificate<'_>) -> Result<&'a str, Error> {
    let names = certificate.subject_alternative_name().ok().flatten();
    match names.map(|names| names.value.general_names.as_slice()) {
        Some([GeneralName::URI(uri)]) => Ok(uri),
        _ => Err(Error::Field("SAN URI")),
    }
}

fn authority_key_id(certificate: &X509Certificate<'_>) -> Result<String, Error> {
    let id = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| HEXLOWER.encode(id.0)),
        _ => None,
    });
    id.ok_or(Error::Field("authority key identifier"))
}
