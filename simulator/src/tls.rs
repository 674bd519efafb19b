//! The device's side of mutual TLS.

use std::sync::Arc;

use anyhow::Context;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Opens TLS connections as one device.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    name: ServerName<'static>,
}

impl Connector {
    /// Takes the device's certificate chain and key and the root CA of the server's certificate, all PEM.
    pub fn new(chain_pem: &str, key_pem: &str, root_pem: &str, server_name: &str) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(root_pem.as_bytes()) {
            roots.add(root.context("failed to parse the root certificate")?)?;
        }
        let chain = CertificateDer::pem_slice_iter(chain_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .context("failed to parse the device certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).context("failed to parse the device key")?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        let name = ServerName::try_from(server_name.to_owned()).context("invalid server name")?;
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), name })
    }

    /// Connects to `host:port` and performs the TLS handshake.
    pub async fn connect(&self, address: &str) -> anyhow::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        Ok(self.tls.connect(self.name.clone(), tcp).await?)
    }
}
