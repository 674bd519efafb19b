//! Mosquitto as part of the stack: access for accounts and devices, revocation, and restart.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    RevokedCertParams, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use stack::testing::TestStack;
use stack::{Broker, Error, Server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An authority that has issued a certificate to the broker and one to a device, as PEM files in a folder.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        let authority = Self { folder, issuer: Issuer::new(params, key) };
        authority.issue("localhost", 1);
        authority.issue("device", 2);
        authority.revoke(&[]);
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, name: &str, serial: u64) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.into()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(serial));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn revoke(&self, serials: &[u64]) {
        let (now, year) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2060, 1, 1));
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: now,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: now,
            next_update: year,
            crl_number: SerialNumber::from(serials.len() as u64 + 1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        std::fs::write(self.path("revoked.pem"), list.signed_by(&self.issuer).unwrap().pem().unwrap()).unwrap();
    }

    fn broker(&self) -> Broker {
        Broker {
            authority_file: self.path("ca.pem"),
            certificate_file: self.path("localhost.pem"),
            key_file: self.path("localhost.key"),
            revocation_file: Some(self.path("revoked.pem")),
            user: "bridge".into(),
            password: "a secret".into(),
            dynamic_security: false,
        }
    }
}

async fn start(broker: Broker) -> Result<TestStack, Error> {
    TestStack::start(|options| options.with_mosquitto(broker).only(Server::Mosquitto)).await
}

/// Encodes a CONNECT of MQTT 3.1.1 with a clean session.
fn connect_packet(client_id: &str, account: Option<(&str, &str)>) -> Vec<u8> {
    let field = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let flags = if account.is_some() { 0b1100_0010 } else { 0b10 };
    let mut body = [&field("MQTT")[..], &[4, flags, 0, 60], &field(client_id)].concat();
    account.iter().for_each(|(user, password)| body.extend([field(user), field(password)].concat()));
    [&[0x10, body.len() as u8][..], &body].concat()
}

/// Returns the return code of the CONNACK; an error where the connection is closed instead.
async fn connack(mut stream: impl AsyncRead + AsyncWrite + Unpin, packet: &[u8]) -> std::io::Result<u8> {
    stream.write_all(packet).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    assert_eq!(answer[0], 0x20);
    Ok(answer[3])
}

async fn as_service(stack: &TestStack, user: &str, password: &str) -> u8 {
    let stream = TcpStream::connect(stack.urls().broker.strip_prefix("mqtt://").unwrap()).await.unwrap();
    connack(stream, &connect_packet("", Some((user, password)))).await.unwrap()
}

async fn as_device(stack: &TestStack, authority: &Authority) -> std::io::Result<u8> {
    let file = |name: &str| std::fs::read(authority.path(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&file("ca.pem")).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(&file("device.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&file("device.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap();
    let stream = TcpStream::connect(stack.urls().broker_tls.strip_prefix("mqtts://").unwrap()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    connack(TlsConnector::from(Arc::new(config)).connect(name, stream).await?, &connect_packet("any", None)).await
}

#[tokio::test]
async fn accounts_and_devices_connect_to_their_listeners_and_again_after_a_kill() {
    let authority = Authority::new();
    let mut stack = start(authority.broker()).await.unwrap();
    for again in [false, true] {
        assert_eq!(as_service(&stack, "bridge", "a secret").await, 0, "again: {again}");
        assert_eq!(as_service(&stack, "bridge", "another").await, 5, "again: {again}");
        assert_eq!(as_device(&stack, &authority).await.unwrap(), 0, "again: {again}");
        stack.kill(Server::Mosquitto).await.unwrap();
        stack.restart(Server::Mosquitto).await.unwrap();
    }
    let configuration = std::fs::read_to_string(stack.data_dir().join("mosquitto/mosquitto.conf")).unwrap();
    assert!(configuration.contains("max_queued_messages 0\n"), "{configuration}");
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_once_the_list_is_reloaded() {
    let authority = Authority::new();
    let stack = start(authority.broker()).await.unwrap();
    assert_eq!(as_device(&stack, &authority).await.unwrap(), 0);
    authority.revoke(&[2]);
    let pid = Pid::from_raw(stack.pid(Server::Mosquitto).unwrap().cast_signed());
    kill(pid, Signal::SIGHUP).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while as_device(&stack, &authority).await.is_ok() {
        assert!(Instant::now() < deadline, "the revoked device can still connect");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(as_service(&stack, "bridge", "a secret").await, 0);
}

#[tokio::test]
async fn the_error_of_a_broker_without_its_key_quotes_its_log() {
    let authority = Authority::new();
    let broker = Broker { key_file: authority.path("none.key"), ..authority.broker() };
    let message = start(broker).await.unwrap_err().to_string();
    assert!(message.starts_with("mosquitto ended before it was ready"), "{message}");
    assert!(message.contains("none.key"), "{message}");
}
