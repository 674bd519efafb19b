//! Validates PKCS #10 signing requests. Only the public key is taken from a request, which must prove possession of the
//! private key. Names in a request are not copied, but they must be the device's own, or the request is refused.

use rcgen::SubjectPublicKeyInfo;
use rustls_pki_types::{CertificateSigningRequestDer, pem::PemObject};
use uuid::Uuid;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION};
use x509_parser::prelude::{FromDer, X509CertificationRequest};
use x509_parser::x509::AttributeTypeAndValue;

use crate::identity::device_uri;

/// Longest accepted request, bytes; a request with a P-384 key and many extensions stays below it.
const MAX_BYTES: usize = 16 * 1024;

/// Why a signing request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than 16 KiB.
    #[error("the signing request is longer than 16 KiB")]
    TooLong,
    /// Not PEM, not PKCS #10, or more bytes follow the request.
    #[error("not a PEM certificate signing request")]
    Unreadable,
    /// More than one request: which of them is meant cannot be known.
    #[error("the text contains more than one signing request: send one")]
    Several,
    /// RSA of any length: an RSA handshake costs the server more than twice as much.
    #[error("RSA keys are not accepted: use ECDSA with P-256 or P-384")]
    Rsa,
    /// Another curve or key type: weaker, or unsupported by the platform's TLS.
    #[error("a key of kind {0} is not accepted: use ECDSA with P-256 or P-384")]
    KeyKind(String),
    /// The request names something other than the device it is presented for.
    #[error("the signing request's {field} names {found:?}; leave it out, or let it name {expected}")]
    ForeignSubject {
        /// The field of the request.
        field: &'static str,
        /// What the field contains.
        found: String,
        /// What the field may contain.
        expected: &'static str,
    },
    /// The request is not signed by the key it carries, or with a weak hash.
    #[error("the signing request's signature does not prove possession of its key")]
    Signature,
}

/// The device that a signing request must belong to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The device.
    pub device: Uuid,
    /// The manufacturer's serial number, which a request may name in place of the device id.
    pub serial_number: Option<&'a str>,
}

/// Checks a PEM request for a device of an organisation and returns its public key, P-256 or P-384.
pub(crate) fn public_key(pem: &str, organization: Uuid, subject: Subject<'_>) -> Result<SubjectPublicKeyInfo, Error> {
    if pem.len() > MAX_BYTES {
        return Err(Error::TooLong);
    }
    let der = only_request(pem)?;
    let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| Error::Unreadable)?;
    if !rest.is_empty() {
        return Err(Error::Unreadable);
    }
    let key = &request.certification_request_info.subject_pki;
    accept_kind(key)?;
    accept_names(&request, organization, subject)?;
    // The self-signature proves that the requester holds the private key.
    request.verify_signature().map_err(|_| Error::Signature)?;
    SubjectPublicKeyInfo::from_der(key.raw).map_err(|_| Error::Unreadable)
}

/// Returns the only request of a text, which may stand among explanations (RFC 7468, 2).
fn only_request(text: &str) -> Result<CertificateSigningRequestDer<'static>, Error> {
    let lines = text.trim_start_matches('\u{feff}').split(['\r', '\n']).map(|line| current_label(line.trim()));
    let text = lines.collect::<Vec<_>>().join("\n");
    let found: Result<Vec<_>, _> = CertificateSigningRequestDer::pem_slice_iter(text.as_bytes()).collect();
    let mut found = found.map_err(|_| Error::Unreadable)?.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(Error::Several),
        (None, _) => Err(Error::Unreadable),
    }
}

/// Replaces the label that keytool, IIS and Netscape's tools write by the one of RFC 7468, 7.
fn current_label(line: &str) -> &str {
    match line {
        "-----BEGIN NEW CERTIFICATE REQUEST-----" => "-----BEGIN CERTIFICATE REQUEST-----",
        "-----END NEW CERTIFICATE REQUEST-----" => "-----END CERTIFICATE REQUEST-----",
        line => line,
    }
}

fn accept_names(request: &X509CertificationRequest<'_>, organization: Uuid, subject: Subject<'_>) -> Result<(), Error> {
    let device = subject.device.to_string();
    let is_device = |text: &str| text == device || subject.serial_number == Some(text);
    let names = &request.certification_request_info.subject;
    for name in names.iter_common_name() {
        accept_name(name, "subject CN", "the device's id or serial number", is_device)?;
    }
    for name in names.iter_organization() {
        let is_ours = |text: &str| text == organization.to_string();
        accept_name(name, "subject O", "the organisation's id", is_ours)?;
    }
    let uri = device_uri(organization, subject.device);
    for extension in request.requested_extensions().into_iter().flatten() {
        let ParsedExtension::SubjectAlternativeName(names) = extension else { continue };
        let is_own = |name: &GeneralName<'_>| matches!(name, GeneralName::URI(text) if *text == uri);
        if let Some(name) = names.general_names.iter().find(|name| !is_own(name)) {
            let expected = "urn:argusiq:{organisation}:{device}";
            return Err(Error::ForeignSubject { field: "SAN", found: shown(&name.to_string()), expected });
        }
    }
    Ok(())
}

fn accept_name(
    name: &AttributeTypeAndValue<'_>,
    field: &'static str,
    expected: &'static str,
    accepts: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    match name.as_str() {
        Ok(text) if accepts(text) => Ok(()),
        Ok(text) => Err(Error::ForeignSubject { field, found: shown(text), expected }),
        Err(_) => Err(Error::ForeignSubject { field, found: "not text".to_owned(), expected }),
    }
}

/// Truncates untrusted text to 100 characters before it is echoed in a response.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

fn accept_kind(key: &x509_parser::x509::SubjectPublicKeyInfo<'_>) -> Result<(), Error> {
    if key.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
        return Err(Error::Rsa);
    }
    if key.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY {
        return Err(Error::KeyKind(key.algorithm.algorithm.to_id_string()));
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    match curve {
        Some(curve) if curve == OID_EC_P256 || curve == OID_NIST_EC_P384 => Ok(()),
        Some(curve) => Err(Error::KeyKind(curve.to_id_string())),
        None => Err(Error::KeyKind("an unnamed curve".to_owned())),
    }
}
