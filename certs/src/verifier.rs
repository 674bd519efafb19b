//! Client certificates in the TLS handshake: a rustls verifier whose trust and revocations change while it listens.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime, pem::PemObject};

use crate::{PrivateKeyPem, Serial, identity};

/// Answers whether a serial number is revoked, now; asked once for each certificate of a handshake, so it must be quick.
pub type Revoked = Arc<dyn Fn(&Serial) -> bool + Send + Sync>;

/// Verifies device certificates: a chain to the root in date and for clients (rustls' webpki), the fields of a device
/// certificate that agree ([`identity()`]), and no revoked serial in the chain. Root and lists can be replaced while
/// connections come in; the revocation question is asked anew in every handshake.
pub struct SwappableVerifier {
    current: RwLock<Arc<dyn ClientCertVerifier>>,
    revoked: Revoked,
    provider: Arc<CryptoProvider>,
}

/// Why a verifier or a server configuration cannot be made.
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

impl SwappableVerifier {
    /// Trusts `root` alone (devices send their organisation CA's certificate along) and asks `revoked` for each serial.
    pub fn new(root: &CertificateDer<'_>, revoked: Revoked) -> Result<SwappableVerifier, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = RwLock::new(build(root, Vec::new(), &provider)?);
        Ok(SwappableVerifier { current, revoked, provider })
    }

    /// Replaces the root and the revocation lists for all later handshakes. A list only adds refusals: a certificate
    /// that no list covers, or whose list has aged, is decided by the revocation question alone.
    pub fn replace(
        &self,
        root: &CertificateDer<'_>,
        lists: Vec<CertificateRevocationListDer<'static>>,
    ) -> Result<(), Error> {
        let next = build(root, lists, &self.provider)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn check_revoked(&self, certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let parsed = identity::parse(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let serial = Serial::from_octets(parsed.raw_serial()).map_err(|_| CertificateError::BadEncoding)?;
        if (self.revoked)(&serial) { Err(CertificateError::Revoked.into()) } else { Ok(()) }
    }
}

/// Makes the server side of mutual TLS (1.2 and 1.3, aws-lc-rs) without session resumption: a resumed session would
/// skip the certificate check and so outlive a revocation.
pub fn server_config(
    certificate_pem: &str,
    private_key: &PrivateKeyPem,
    verifier: Arc<SwappableVerifier>,
) -> Result<ServerConfig, Error> {
    without_resumption(certificate_pem, private_key, verifier.provider.clone(), verifier)
}

pub(crate) fn without_resumption(
    certificate_pem: &str,
    private_key: &PrivateKeyPem,
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, Error> {
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
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(Error::Server)?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

impl ClientCertVerifier for SwappableVerifier {
    /// Names no CA: some clients then send no certificate when only the root is named and theirs is two steps below.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let verified = current.verify_client_cert(end_entity, intermediates, now)?;
        identity::identity(std::slice::from_ref(end_entity))
            .map_err(|error| rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error)))))?;
        self.check_revoked(end_entity)?;
        intermediates.iter().try_for_each(|certificate| self.check_revoked(certificate))?;
        Ok(verified)
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

impl fmt::Debug for SwappableVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SwappableVerifier").finish_non_exhaustive()
    }
}

fn build(
    root: &CertificateDer<'_>,
    lists: Vec<CertificateRevocationListDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone().into_owned()).map_err(Error::Root)?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls(lists)
        .allow_unknown_revocation_status()
        .build()
        .map_err(Error::Build)
}
