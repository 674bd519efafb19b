//! The TLS handshake with a device: mutual, limited in number and time. Refusals are classified and reported.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use certs::tls_server::{ChainCheck, HandshakeVerifier};
use certs::{Identity, SwappableVerifier};
use domain::ids::{DeviceId, OrganizationId};
use metrics::counter;
use rustls::{CertificateError, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info};

use crate::config::EdgePki;
use crate::directory::Directory;
use crate::metric_names as names;
use crate::presence::{Presence, PresenceSubject};

/// A connection after a successful handshake.
pub type Stream = Box<TlsStream<TcpStream>>;

/// Why the server side of TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The root certificate is not PEM.
    #[error("the root certificate is not PEM")]
    Root(#[source] rustls_pki_types::pem::Error),
    /// Certificate, key or root cannot be used.
    #[error("the edge's certificates cannot be used")]
    Certificates(#[source] certs::verifier::Error),
    /// The crypto provider supports no usable protocol version.
    #[error("no usable TLS version")]
    Versions(#[source] rustls::Error),
}

/// Whether clients must present a certificate; a presented one is verified either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// A client without a certificate is refused.
    Required,
    /// A client without a certificate must authenticate in another way.
    Optional,
}

/// The server side of TLS.
pub struct Tls {
    certificates: ClientCertificates,
    base: ServerConfig,
    verifier: Arc<SwappableVerifier>,
    directory: Arc<Directory>,
}

impl Tls {
    /// Parses the platform's root certificate.
    pub fn root(pki: &EdgePki) -> Result<CertificateDer<'static>, Error> {
        CertificateDer::from_pem_slice(pki.root_certificate_pem.as_bytes()).map_err(Error::Root)
    }

    /// Sets up TLS; each handshake checks revocations in the directory.
    pub fn new(pki: &EdgePki, directory: Arc<Directory>, certificates: ClientCertificates) -> Result<Self, Error> {
        let root = Self::root(pki)?;
        let revocations = directory.clone();
        let revoked: certs::verifier::Revoked = Arc::new(move |serial| revocations.is_revoked(serial));
        let verifier = Arc::new(SwappableVerifier::new(&root, revoked).map_err(Error::Certificates)?);
        let base = certs::server_config(&pki.server_certificate_pem, &pki.server_private_key_pem, verifier.clone())
            .map_err(Error::Certificates)?;
        let tls = Self { certificates, base, verifier, directory };
        tls.new_acceptor().map(|_| tls)
    }

    /// Creates the TLS configuration of one handshake and the verifier that records a refused certificate: rustls does
    /// not expose the certificate of a failed handshake.
    fn new_acceptor(&self) -> Result<(TlsAcceptor, Arc<RecordingVerifier>), Error> {
        let (verifier, directory) = (self.verifier.clone(), self.directory.clone());
        let mandatory = self.certificates == ClientCertificates::Required;
        let recorder =
            Arc::new(RecordingVerifier { mandatory, verifier, directory, refused_identity: OnceLock::new() });
        let provider = self.base.crypto_provider().clone();
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(Error::Versions)?
            .with_client_cert_verifier(Arc::new(HandshakeVerifier::new(recorder.clone(), provider)))
            .with_cert_resolver(self.base.cert_resolver.clone());
        // Share resumption state, because each handshake has its own configuration.
        config.session_storage = self.base.session_storage.clone();
        config.send_tls13_tickets = self.base.send_tls13_tickets;
        Ok((TlsAcceptor::from(Arc::new(config)), recorder))
    }
}

/// Creates a TLS acceptor that does not ask for client certificates.
pub fn server_auth_acceptor(pki: &EdgePki) -> Result<TlsAcceptor, Error> {
    let pem = |error| Error::Certificates(certs::verifier::Error::Pem(error));
    let chain = CertificateDer::pem_slice_iter(pki.server_certificate_pem.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(pem)?;
    let key = PrivateKeyDer::from_pem_slice(pki.server_private_key_pem.expose().as_bytes()).map_err(pem)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Versions)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| Error::Certificates(certs::verifier::Error::Server(error)))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What a door needs for a handshake.
pub struct HandshakeContext<'a> {
    /// The server side of TLS.
    pub tls: &'a Tls,
    /// Limits concurrent handshakes.
    pub handshakes: &'a Semaphore,
    /// Where refusals are reported.
    pub presence: &'a Presence,
    /// Timeout of the handshake.
    pub within: Duration,
}

/// Performs the handshake with a device. Returns `None` if it failed; the failure is then counted, logged and reported.
pub async fn perform_handshake(door: HandshakeContext<'_>, socket: TcpStream, peer: SocketAddr) -> Option<Stream> {
    let (acceptor, recorder) = door.tls.new_acceptor().ok()?;
    let outcome = timeout(door.within, async {
        // The semaphore is never closed; without a permit the handshake would merely not be limited.
        let _permit = door.handshakes.acquire().await.ok();
        acceptor.accept(socket).await
    });
    let reason = match outcome.await {
        Ok(Ok(stream)) => return Some(Box::new(stream)),
        Ok(Err(error)) => reason(&error),
        Err(_) => "timeout",
    };
    counter!(names::HANDSHAKES_REFUSED, "reason" => reason).increment(1);
    if matches!(reason, "connection_lost" | "not_tls" | "timeout") {
        // Typically port scans and load balancer health checks: not worth a presence fact.
        debug!(%peer, reason, "a TLS handshake failed");
        return None;
    }
    let identity = recorder.refused_identity.get();
    let subject = PresenceSubject {
        organization: identity.map(|identity| OrganizationId(identity.organization)),
        device: identity.map(|identity| DeviceId(identity.device)),
        session: None,
    };
    if door.presence.report_refused(subject, reason).await {
        let device = subject.device.map(|device| device.to_string());
        info!(%peer, reason, device, "refused a TLS handshake");
    }
    None
}

/// Classifies the failure of a handshake.
fn reason(error: &std::io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) else {
        return "connection_lost";
    };
    match error {
        rustls::Error::NoCertificatesPresented => "no_certificate",
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Revoked => "revoked",
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "not_yet_valid",
            CertificateError::UnknownIssuer => "foreign_authority",
            CertificateError::BadSignature => "bad_signature",
            _ => "unreadable_certificate",
        },
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(_) => "incompatible_client",
        _ => "not_tls",
    }
}

/// Delegates to the shared verifier, adds the organisation's CA if a device sends only its own certificate, and records
/// whose certificate was refused.
struct RecordingVerifier {
    mandatory: bool,
    verifier: Arc<SwappableVerifier>,
    directory: Arc<Directory>,
    refused_identity: OnceLock<Identity>,
}

impl fmt::Debug for RecordingVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RecordingVerifier").finish_non_exhaustive()
    }
}

impl ChainCheck for RecordingVerifier {
    fn certificate_required(&self) -> bool {
        self.mandatory
    }

    fn check_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let identity = certs::identity(std::slice::from_ref(end_entity)).ok();
        let known = identity.as_ref().and_then(|id| self.directory.authority(OrganizationId(id.organization)));
        let own = known.filter(|_| intermediates.is_empty()).map(|authority| [(*authority).clone()]);
        let intermediates = own.as_ref().map_or(intermediates, |own| own.as_slice());
        self.verifier.check_chain(end_entity, intermediates, now).inspect_err(|_| {
            if let Some(identity) = identity {
                let _ = self.refused_identity.set(identity);
            }
        })
    }
}
