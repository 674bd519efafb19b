//! The server side of mutual TLS: configuration without session resumption, and the part of client verification that
//! every listener shares. Which chains are trusted is decided by a [`ChainCheck`].

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};

use crate::private_key_pem::PrivateKeyPem;

/// Why a verifier or a server configuration cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The root certificate cannot be a trust anchor.
    #[error("the root certificate cannot be a trust anchor")]
    Root(#[source] rustls::Error),
    /// A revocation list cannot be used.
    #[error("the verifier cannot be built")]
    Build(#[source] VerifierBuilderError),
    /// The server's certificate or key cannot be read.
    #[error("the server's certificate or key is not PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// rustls refuses the server's certificate or key.
    #[error("the server's certificate and key cannot be used")]
    Server(#[source] rustls::Error),
}

/// Decides whether a client may connect with the certificate chain that it presents. The signatures that prove
/// possession of the key are verified by [`HandshakeVerifier`].
pub trait ChainCheck: fmt::Debug + Send + Sync {
    /// Whether a client without a certificate is refused.
    fn certificate_required(&self) -> bool;

    /// Accepts or refuses a presented chain.
    fn check_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error>;
}

/// Connects a [`ChainCheck`] to rustls, which verifies the handshake signatures.
#[derive(Debug)]
pub struct HandshakeVerifier<C> {
    check: Arc<C>,
    provider: Arc<CryptoProvider>,
}

impl<C> HandshakeVerifier<C> {
    /// Returns a verifier that asks `check` about chains and verifies signatures with the algorithms of `provider`.
    pub fn new(check: Arc<C>, provider: Arc<CryptoProvider>) -> Self {
        Self { check, provider }
    }
}

/// Returns a server configuration for TLS 1.2 and 1.3 without session resumption: a resumed session would skip the
/// chain check and so outlive a revocation.
pub(crate) fn config<C: ChainCheck + 'static>(
    certificate_pem: &str,
    private_key: &PrivateKeyPem,
    provider: Arc<CryptoProvider>,
    check: Arc<C>,
) -> Result<ServerConfig, Error> {
    let verifier = HandshakeVerifier::new(check, provider.clone());
    let chain = CertificateDer::pem_slice_iter(certificate_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::Pem)?;
    if chain.is_empty() {
        return Err(Error::Pem(rustls_pki_types::pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_slice(private_key.expose().as_bytes()).map_err(Error::Pem)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Server)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)
        .map_err(Error::Server)?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

impl<C: ChainCheck> ClientCertVerifier for HandshakeVerifier<C> {
    fn client_auth_mandatory(&self) -> bool {
        self.check.certificate_required()
    }

    /// Returns no CA names: some clients send no certificate if only the root is named and theirs is two levels below
    /// it.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check.check_chain(end_entity, intermediates, now).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
