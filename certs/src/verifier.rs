//! Verifies client certificates in TLS handshakes; the trusted root and the revocation lists can be replaced at run
//! time.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, OtherError, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};

use crate::identity;
use crate::private_key_pem::PrivateKeyPem;
use crate::serial::Serial;
use crate::tls_server::{self, ChainCheck};

pub use crate::tls_server::Error;

/// Returns whether a serial number is revoked now. Called for each certificate of every handshake, so it must be fast.
pub type Revoked = Arc<dyn Fn(&Serial) -> bool + Send + Sync>;

/// Verifies device certificates: a valid chain to the root for client authentication (rustls' webpki), consistent
/// identity fields ([`identity()`]), and no revoked serial number in the chain. The root and the lists can be replaced
/// while connections arrive; every handshake calls the revocation callback again.
pub struct SwappableVerifier {
    current: RwLock<Arc<dyn ClientCertVerifier>>,
    revoked: Revoked,
    provider: Arc<CryptoProvider>,
}

impl SwappableVerifier {
    /// Returns a verifier that trusts only `root` (devices send their organisation CA's certificate along) and calls
    /// `revoked` for each serial number.
    pub fn new(root: &CertificateDer<'_>, revoked: Revoked) -> Result<SwappableVerifier, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = RwLock::new(build(root, Vec::new(), &provider)?);
        Ok(SwappableVerifier { current, revoked, provider })
    }

    /// Replaces the root and the revocation lists for all later handshakes. A list can only add refusals: if no list
    /// covers a certificate, or its list has expired, only the revocation callback decides.
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
        let serial = Serial::from_bytes(parsed.raw_serial()).map_err(|_| CertificateError::BadEncoding)?;
        if (self.revoked)(&serial) { Err(CertificateError::Revoked.into()) } else { Ok(()) }
    }
}

/// Returns a server configuration for mutual TLS (1.2 and 1.3, aws-lc-rs) without session resumption: a resumed session
/// would skip the certificate check and so outlive a revocation.
pub fn server_config(
    certificate_pem: &str,
    private_key: &PrivateKeyPem,
    verifier: Arc<SwappableVerifier>,
) -> Result<ServerConfig, Error> {
    let provider = verifier.provider.clone();
    tls_server::config(certificate_pem, private_key, provider, verifier)
}

impl ChainCheck for SwappableVerifier {
    fn certificate_required(&self) -> bool {
        true
    }

    fn check_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        // Clone the verifier instead of holding the lock, so that handshakes do not delay a replacement.
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        current.verify_client_cert(end_entity, intermediates, now)?;
        identity::identity(std::slice::from_ref(end_entity))
            .map_err(|error| rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error)))))?;
        self.check_revoked(end_entity)?;
        intermediates.iter().try_for_each(|certificate| self.check_revoked(certificate))
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
        // An organisation may have no list yet: then the revocation callback decides.
        .allow_unknown_revocation_status()
        .build()
        .map_err(Error::Build)
}
