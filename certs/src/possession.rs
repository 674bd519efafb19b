//! TLS for a listener that is shown certificates and judges them itself, request by request: the handshake proves only
//! that the client has the key of what it presents. Whoever uses it must verify the chain before believing a name in it.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::UnixTime;

use crate::PrivateKeyPem;
use crate::verifier::{Error, without_resumption};

/// Takes any certificate whose key the client has, or none.
#[derive(Debug)]
struct Possession(Arc<CryptoProvider>);

/// Makes the server side of TLS (1.2 and 1.3, aws-lc-rs, no resumption) that asks for a client certificate, does without,
/// and of a presented one verifies possession of its key alone.
pub fn server_config(certificate_pem: &str, private_key: &PrivateKeyPem) -> Result<ServerConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    without_resumption(certificate_pem, private_key, provider.clone(), Arc::new(Possession(provider)))
}

impl ClientCertVerifier for Possession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
