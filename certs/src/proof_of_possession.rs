//! TLS for a listener that verifies client certificates itself, request by request: the handshake only proves that the
//! client holds the private key of the certificate it presents. The caller must verify the chain
//! ([`crate::verify_chain`]) before it trusts a name in the certificate.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::private_key_pem::PrivateKeyPem;
use crate::tls_server::{self, ChainCheck, Error};

/// Accepts any certificate chain, and clients without one.
#[derive(Debug)]
struct AnyChain;

/// Returns a server configuration for TLS 1.2 and 1.3 (aws-lc-rs, no resumption) that requests a client certificate
/// without requiring one, and verifies only that the client holds its private key.
pub fn server_config(certificate_pem: &str, private_key: &PrivateKeyPem) -> Result<ServerConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    tls_server::config(certificate_pem, private_key, provider, Arc::new(AnyChain))
}

impl ChainCheck for AnyChain {
    fn certificate_required(&self) -> bool {
        false
    }

    fn check_chain(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<(), rustls::Error> {
        Ok(())
    }
}
