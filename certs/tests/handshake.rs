//! Handshakes between real rustls clients and servers, in memory and at a time that each test chooses.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use certs::tls_server::ChainCheck;
use certs::{Authority, CrlEntry, IssuedDevice, RevocationReason, ServerNames, SwappableVerifier, server_config};
use chrono::{DateTime, Utc};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};
use support::*;

/// A clock that always shows the same time.
#[derive(Debug)]
struct FixedTime(DateTime<Utc>);

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0.timestamp() as u64)))
    }
}

/// A TLS server that requires a device certificate, and its PKI.
struct Listener {
    pki: Pki,
    verifier: Arc<SwappableVerifier>,
    revoked: Arc<Mutex<Vec<certs::Serial>>>,
    config: ServerConfig,
}

fn listener() -> Listener {
    let pki = pki();
    let names = ServerNames::parse(["localhost", "127.0.0.1"]).unwrap();
    let server = pki.root.issue_server_certificate(&names, 90, now()).unwrap();
    let revoked = Arc::new(Mutex::new(Vec::new()));
    let serials = revoked.clone();
    let is_revoked = Arc::new(move |serial: &certs::Serial| serials.lock().unwrap().contains(serial));
    let verifier = Arc::new(SwappableVerifier::new(pki.root.certificate(), is_revoked).unwrap());
    let config = server_config(&server.certificate_pem, &server.private_key_pem, verifier.clone()).unwrap();
    Listener { pki, verifier, revoked, config }
}

type Credentials = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn credentials(device: &IssuedDevice) -> Option<Credentials> {
    let key = device.private_key_pem.as_ref().unwrap().expose();
    Some((der(&device.chain_pem), PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()))
}

impl Listener {
    fn client(&self, credentials: Option<Credentials>, version: &'static SupportedProtocolVersion) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.pki.root.certificate().clone()).unwrap();
        let builder = ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(FixedTime(now())))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match credentials {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::in_memory_sessions(8);
        config
    }

    fn connect_at(&self, at: DateTime<Utc>, credentials: Option<Credentials>) -> Result<HandshakeKind, rustls::Error> {
        let client = Arc::new(self.client(credentials, &rustls::version::TLS13));
        handshake(self.config_at(at), client)
    }

    fn connect(&self, device: &IssuedDevice) -> Result<HandshakeKind, rustls::Error> {
        self.connect_at(now(), credentials(device))
    }

    fn config_at(&self, at: DateTime<Utc>) -> Arc<ServerConfig> {
        let mut config = self.config.clone();
        config.time_provider = Arc::new(FixedTime(at));
        Arc::new(config)
    }
}

/// Runs a handshake, then sends one byte from the server to the client. Errors are the server's.
fn handshake(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> Result<HandshakeKind, rustls::Error> {
    let mut client = ClientConnection::new(client, "localhost".try_into().unwrap()).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    std::io::Write::write_all(&mut server.writer(), b"x").unwrap();
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            server.read_tls(&mut wire).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets().expect("the client trusts the server");
        }
    }
    assert!(!server.is_handshaking() && !client.is_handshaking());
    Ok(client.handshake_kind().unwrap())
}

fn issue_device(authority: &Authority) -> IssuedDevice {
    authority.issue_device(DEVICE, 30, now()).unwrap()
}

#[track_caller]
fn assert_refused(outcome: Result<HandshakeKind, rustls::Error>, reason: CertificateError) {
    assert_eq!(outcome.unwrap_err(), rustls::Error::InvalidCertificate(reason));
}

#[test]
fn a_device_of_any_organisation_under_the_root_is_accepted_in_tls_1_2_and_1_3() {
    let listener = listener();
    for authority in [&listener.pki.ours, &listener.pki.theirs] {
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let client = listener.client(credentials(&issue_device(authority)), version);
            handshake(listener.config_at(now()), Arc::new(client)).unwrap();
        }
    }
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let outcome = listener().connect_at(now(), None);
    assert_eq!(outcome.unwrap_err(), rustls::Error::NoCertificatesPresented);
}

#[test]
fn a_certificate_under_another_root_is_refused() {
    let (listener, foreign) = (listener(), pki());
    assert_refused(listener.connect(&issue_device(&foreign.ours)), CertificateError::UnknownIssuer);
}

#[test]
fn a_certificate_is_refused_before_and_after_its_validity_period() {
    let listener = listener();
    let device = issue_device(&listener.pki.ours);
    listener.connect_at(device.not_before, credentials(&device)).unwrap();
    listener.connect_at(device.not_after, credentials(&device)).unwrap();
    let late = listener.connect_at(device.not_after + days(1), credentials(&device)).unwrap_err();
    assert!(format!("{late:?}").contains("Expired"), "{late:?}");
    let early = listener.connect_at(device.not_before - days(1), credentials(&device)).unwrap_err();
    assert!(format!("{early:?}").contains("NotValidYet"), "{early:?}");
}

#[test]
fn a_revoked_serial_is_refused_from_the_next_handshake_on() {
    let listener = listener();
    let (device, other) = (issue_device(&listener.pki.ours), issue_device(&listener.pki.ours));
    listener.connect(&device).unwrap();
    listener.revoked.lock().unwrap().push(device.serial.clone());
    assert_refused(listener.connect(&device), CertificateError::Revoked);
    listener.connect(&other).unwrap();
}

#[test]
fn revoking_an_organisation_ca_locks_out_all_its_devices() {
    let listener = listener();
    let ca = listener.pki.ours.certificate();
    let (_, parsed) = x509_parser::parse_x509_certificate(ca).unwrap();
    listener.revoked.lock().unwrap().push(certs::Serial::from_bytes(parsed.raw_serial()).unwrap());
    assert_refused(listener.connect(&issue_device(&listener.pki.ours)), CertificateError::Revoked);
    listener.connect(&issue_device(&listener.pki.theirs)).unwrap();
}

#[test]
fn a_swapped_in_revocation_list_refuses_the_certificates_on_it_and_no_others() {
    let listener = listener();
    let ours = issue_device(&listener.pki.ours);
    listener.connect(&ours).unwrap();
    let entry = CrlEntry { serial: ours.serial.clone(), revoked_at: now(), reason: RevocationReason::KeyCompromise };
    let list = listener.pki.ours.crl(&[entry], 1, now(), now() + days(1)).unwrap();
    assert_eq!(certs::crl::serials(list.pem.as_bytes()).unwrap(), std::slice::from_ref(&ours.serial));
    assert!(certs::crl::serials(b"no list").is_err());
    listener.verifier.replace(listener.pki.root.certificate(), vec![list.der]).unwrap();
    assert_refused(listener.connect(&ours), CertificateError::Revoked);
    listener.connect(&issue_device(&listener.pki.ours)).unwrap();
    listener.connect(&issue_device(&listener.pki.theirs)).unwrap();
}

#[test]
fn the_root_can_be_swapped_at_run_time() {
    let (listener, foreign) = (listener(), pki());
    listener.verifier.replace(foreign.root.certificate(), Vec::new()).unwrap();
    listener.connect(&issue_device(&foreign.ours)).unwrap();
    assert_refused(listener.connect(&issue_device(&listener.pki.ours)), CertificateError::UnknownIssuer);
}

#[test]
fn a_certificate_in_our_name_signed_by_another_organisations_ca_is_refused() {
    let listener = listener();
    let (certificate, key) = Forgery::of(&listener.pki.theirs).sign();
    let chain = vec![certificate, listener.pki.theirs.certificate().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let refused = listener.connect_at(now(), Some((chain, key))).unwrap_err();
    assert!(format!("{refused:?}").contains(r#"Disagree("subject O", "issuer O")"#), "{refused:?}");

    let (certificate, key) = Forgery { signer: &listener.pki.theirs, ..Forgery::of(&listener.pki.ours) }.sign();
    let chain = vec![certificate, listener.pki.ours.certificate().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    assert_refused(listener.connect_at(now(), Some((chain, key))), CertificateError::BadSignature);
}

#[test]
fn a_server_certificate_is_no_client_certificate_and_an_organisation_ca_signs_no_server() {
    let listener = listener();
    let server =
        listener.pki.root.issue_server_certificate(&ServerNames::parse(["localhost"]).unwrap(), 9, now()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(server.private_key_pem.expose().as_bytes()).unwrap();
    let refused = listener.connect_at(now(), Some((der(&server.certificate_pem), key))).unwrap_err();
    assert!(format!("{refused:?}").contains("Purpose"), "{refused:?}");

    let (certificate, _) =
        Forgery { usage: rcgen::ExtendedKeyUsagePurpose::ServerAuth, ..Forgery::of(&listener.pki.ours) }.sign();
    let mut roots = RootCertStore::empty();
    roots.add(listener.pki.root.certificate().clone()).unwrap();
    let server_verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider())).build();
    let at = FixedTime(now()).current_time().unwrap();
    let chain = [listener.pki.ours.certificate().clone()];
    let refused =
        server_verifier.unwrap().verify_server_cert(&certificate, &chain, &"localhost".try_into().unwrap(), &[], at);
    assert!(format!("{refused:?}").contains("Purpose"), "{refused:?}");
}

#[test]
fn sessions_are_never_resumed_so_every_handshake_checks_the_certificate() {
    let listener = listener();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let client = Arc::new(listener.client(credentials(&issue_device(&listener.pki.ours)), version));
        for _ in 0..2 {
            let kind = handshake(listener.config_at(now()), client.clone()).unwrap();
            assert!(!matches!(kind, HandshakeKind::Resumed), "{kind:?}");
        }
    }
}

#[test]
fn revocation_is_not_looked_up_for_certificates_under_another_root() {
    let pki = pki();
    let looked_up = Arc::new(AtomicBool::new(false));
    let flag = looked_up.clone();
    let is_revoked = Arc::new(move |_: &certs::Serial| flag.swap(true, SeqCst));
    let verifier = SwappableVerifier::new(pki.root.certificate(), is_revoked).unwrap();
    let foreign_chain = der(&issue_device(&support::pki().ours).chain_pem);
    let at = FixedTime(now()).current_time().unwrap();
    let outcome = verifier.check_chain(&foreign_chain[0], &foreign_chain[1..], at);
    assert!(outcome.is_err() && !looked_up.load(SeqCst));
}
