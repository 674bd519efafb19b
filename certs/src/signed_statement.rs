//! Signs statements with the root key and verifies them (ECDSA P-256 with SHA-256, DER); `openssl dgst -verify`
//! verifies them too. The content of a statement is opaque.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rcgen::SigningKey;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::error::Error;
use crate::root_ca::RootAuthority;

impl RootAuthority {
    /// Signs a statement.
    pub fn sign_statement(&self, statement: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.issuer.key().sign(statement).map_err(Error::Sign)
    }
}

/// Returns whether the signature of the statement is by the key of this PEM certificate.
pub fn is_signed_by(certificate_pem: &str, statement: &[u8], signature: &[u8]) -> bool {
    let Ok(certificate) = CertificateDer::from_pem_slice(certificate_pem.as_bytes()) else { return false };
    let Ok((_, certificate)) = X509Certificate::from_der(&certificate) else { return false };
    let key = &certificate.public_key().subject_public_key.data;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(statement, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_signature_is_valid_only_for_its_statement_and_its_signer() {
        let root = |name| RootAuthority::create(name, DateTime::UNIX_EPOCH).unwrap();
        let (root, other) = (root("One"), root("Two"));
        let signature = root.sign_statement(b"so it is").unwrap();
        assert!(is_signed_by(root.certificate_pem(), b"so it is", &signature));
        assert!(!is_signed_by(root.certificate_pem(), b"so it was", &signature));
        assert!(!is_signed_by(other.certificate_pem(), b"so it is", &signature));
        assert!(!is_signed_by(root.certificate_pem(), b"so it is", b"no signature"));
    }
}
