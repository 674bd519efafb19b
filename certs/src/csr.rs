//! Reading a PKCS #10 signing request: the one thing taken from it is a public key whose possession it proves.

use rcgen::SubjectPublicKeyInfo;
use rustls_pki_types::{CertificateSigningRequestDer, pem::PemObject};
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION};
use x509_parser::prelude::{FromDer, X509CertificationRequest};

/// A request with a P-384 key and many extensions stays below this.
const LIMIT_OCTETS: usize = 16 * 1024;

/// Why a signing request is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than any honest request.
    #[error("the signing request is longer than 16 KiB")]
    TooLong,
    /// Not PEM, not PKCS #10, or something follows it.
    #[error("not a PEM certificate signing request")]
    Unreadable,
    /// RSA, of any length: its handshakes cost the server more than twice as much.
    #[error("RSA keys are not accepted: use ECDSA with P-256 or P-384")]
    Rsa,
    /// Another curve or kind of key: weaker, or not understood by TLS here.
    #[error("a key of kind {0} is not accepted: use ECDSA with P-256 or P-384")]
    KeyKind(String),
    /// The request is not signed by the key it carries, or with a weak hash.
    #[error("the signing request's signature does not prove possession of its key")]
    Signature,
}

/// Checks a PEM request and returns its public key, P-256 or P-384.
pub(crate) fn public_key(pem: &str) -> Result<SubjectPublicKeyInfo, Error> {
    if pem.len() > LIMIT_OCTETS {
        return Err(Error::TooLong);
    }
    let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).map_err(|_| Error::Unreadable)?;
    let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| Error::Unreadable)?;
    if !rest.is_empty() {
        return Err(Error::Unreadable);
    }
    let key = &request.certification_request_info.subject_pki;
    accept_kind(key)?;
    request.verify_signature().map_err(|_| Error::Signature)?;
    SubjectPublicKeyInfo::from_der(key.raw).map_err(|_| Error::Unreadable)
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
