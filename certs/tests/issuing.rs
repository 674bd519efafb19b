//! Issuing, signing requests, sealing: what is made is right, what must be refused is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use certs::{Authority, MasterKey, PrivateKeyPem, csr, identity, master_key};
use rcgen::{CertificateParams, KeyPair};
use support::*;

const OWN: csr::Subject<'_> = csr::Subject { device: DEVICE, serial_number: Some("SN-1") };

fn request(key: &KeyPair) -> String {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    named(parameters, key)
}

fn named(parameters: CertificateParams, key: &KeyPair) -> String {
    parameters.serialize_request(key).unwrap().pem().unwrap()
}

fn with_name(kind: rcgen::DnType, name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(kind, name);
    parameters
}

fn refusal(authority: &Authority, pem: &str) -> csr::Error {
    match authority.sign_csr(pem, OWN, 1, now()).unwrap_err() {
        certs::Error::Csr(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signing_request_gives_its_key_and_the_certificate_names_the_device() {
    let pki = pki();
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let issued = pki.ours.sign_csr(&request(&key), OWN, 10, now()).unwrap();
        assert_eq!(issued.private_key_pem, None);
        let chain = der(&issued.chain_pem);
        let read = certs::verify_chain(&chain, pki.root.certificate(), pki.ours.certificate(), now()).unwrap();
        assert_eq!((read.organization, read.device), (OURS, DEVICE));
        let (_, parsed) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
        assert_eq!(parsed.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
    }
}

#[test]
fn a_signing_request_may_name_its_own_device_and_nobody_else() {
    use rcgen::{DnType, SanType};
    let (pki, key) = (pki(), KeyPair::generate().unwrap());
    let with_san = |name| {
        let mut parameters = with_name(DnType::CommonName, "SN-1");
        parameters.subject_alt_names = vec![name];
        parameters
    };
    let own = certs::identity::device_uri(OURS, DEVICE);
    for parameters in [
        with_name(DnType::CommonName, &DEVICE.to_string()),
        with_name(DnType::CommonName, "SN-1"),
        with_name(DnType::OrganizationName, &OURS.to_string()),
        with_name(DnType::CountryName, "DE"),
        with_san(SanType::URI(own.try_into().unwrap())),
    ] {
        pki.ours.sign_csr(&named(parameters, &key), OWN, 1, now()).unwrap();
    }
    let other = certs::identity::device_uri(OURS, OURS);
    for (parameters, field) in [
        (with_name(DnType::CommonName, "SN-2"), "subject CN"),
        (with_name(DnType::CommonName, "admin.example"), "subject CN"),
        (with_name(DnType::OrganizationName, "Acme"), "subject O"),
        (with_san(SanType::URI(other.try_into().unwrap())), "SAN"),
        (with_san(SanType::DnsName("admin.example".try_into().unwrap())), "SAN"),
    ] {
        let refused = refusal(&pki.ours, &named(parameters, &key));
        assert!(matches!(&refused, csr::Error::ForeignSubject { field: found, .. } if *found == field), "{refused:?}");
    }
}

#[test]
fn a_certificate_is_renewed_for_its_own_key_by_its_own_ca_alone() {
    let pki = pki();
    let old = pki.ours.issue_device(DEVICE, 1, now()).unwrap();
    let new = pki.ours.renew_device(&old.certificate_pem, 10, now()).unwrap();
    assert!(new.serial != old.serial && new.private_key_pem.is_none());
    let chains = [der(&old.chain_pem), der(&new.chain_pem)];
    let read = certs::verify_chain(&chains[1], pki.root.certificate(), pki.ours.certificate(), now()).unwrap();
    assert_eq!((read.organization, read.device), (OURS, DEVICE));
    let key = |der: &[u8]| x509_parser::parse_x509_certificate(der).unwrap().1.public_key().raw.to_vec();
    assert_eq!(key(&chains[0][0]), key(&chains[1][0]));
    let refused = pki.theirs.renew_device(&old.certificate_pem, 10, now()).unwrap_err();
    assert!(matches!(refused, certs::Error::Certificate(_)), "{refused:?}");
}

#[test]
fn serial_numbers_are_128_random_bits() {
    let pki = pki();
    let serials: std::collections::BTreeSet<String> =
        (0..32).map(|_| pki.ours.issue_device(DEVICE, 1, now()).unwrap().serial.to_string()).collect();
    assert!(serials.len() == 32 && serials.iter().all(|serial| serial.len() == 32), "{serials:?}");
}

#[test]
fn weak_or_unknown_keys_in_a_signing_request_are_refused() {
    let pki = pki();
    let of = |algorithm| refusal(&pki.ours, &request(&KeyPair::generate_for(algorithm).unwrap()));
    assert_eq!(of(&rcgen::PKCS_RSA_SHA256), csr::Error::Rsa);
    assert_eq!(of(&rcgen::PKCS_ED25519), csr::Error::KeyKind("1.3.101.112".to_owned()));
    assert_eq!(of(&rcgen::PKCS_ECDSA_P521_SHA512), csr::Error::KeyKind("1.3.132.0.35".to_owned()));
}

#[test]
fn a_signing_request_that_proves_nothing_or_is_none_is_refused() {
    let pki = pki();
    let pem = request(&KeyPair::generate().unwrap());
    let request =
        with_name(rcgen::DnType::CommonName, "SN-1").serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let base64 = |der: &[u8]| {
        let text = data_encoding::BASE64.encode(der);
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
    };
    let mut changed = request.der().to_vec();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(refusal(&pki.ours, &base64(&changed)), csr::Error::Signature);
    let longer = [request.der().as_ref(), b"\0"].concat();
    assert_eq!(refusal(&pki.ours, &base64(&longer)), csr::Error::Unreadable);
    assert_eq!(refusal(&pki.ours, &base64(b"nonsense")), csr::Error::Unreadable);
    assert_eq!(refusal(&pki.ours, pki.ours.certificate_pem()), csr::Error::Unreadable);
    assert_eq!(refusal(&pki.ours, ""), csr::Error::Unreadable);
    assert_eq!(refusal(&pki.ours, &pem.repeat(100)), csr::Error::TooLong);
}

#[test]
fn validity_is_bounded_by_days_and_by_the_ca() {
    let ours = pki().ours;
    for days in [0, 3_651] {
        let refused = ours.issue_device(DEVICE, days, now()).unwrap_err();
        assert!(matches!(refused, certs::Error::ValidityDays(given) if given == days));
    }
    let late = now() + days(9 * 365);
    assert!(ours.issue_device(DEVICE, 365, late).is_ok());
    let refused = ours.issue_device(DEVICE, 366, late).unwrap_err();
    assert!(matches!(refused, certs::Error::OutlivesAuthority { .. }), "{refused:?}");
}

#[test]
fn an_opened_ca_signs_like_the_one_that_was_sealed() {
    let pki = pki();
    let master = MasterKey::generate().unwrap();
    let text = serde_json::to_string(&pki.ours.seal(&master).unwrap()).unwrap();
    let opened = serde_json::from_str::<certs::SealedAuthority>(&text).unwrap().open(&master).unwrap();
    assert_eq!((opened.organization(), opened.key_id()), (OURS, pki.ours.key_id()));
    let chain = der(&opened.issue_device(DEVICE, 1, now()).unwrap().chain_pem);
    certs::verify_chain(&chain, pki.root.certificate(), pki.ours.certificate(), now()).unwrap();

    let root = pki.root.seal(&master).unwrap().open_root(&master).unwrap();
    let newer = root.issue_organization_authority(OURS, now()).unwrap();
    let chain = der(&newer.issue_device(DEVICE, 1, now()).unwrap().chain_pem);
    certs::verify_chain(&chain, pki.root.certificate(), newer.certificate(), now()).unwrap();
}

#[test]
fn a_sealed_key_that_was_changed_moved_or_sealed_otherwise_does_not_open() {
    let pki = pki();
    let master = MasterKey::generate().unwrap();
    let sealed = pki.ours.seal(&master).unwrap();
    let cause = |sealed: &certs::SealedAuthority, master: &MasterKey| match sealed.open(master).unwrap_err() {
        certs::Error::MasterKey(error) => error,
        other => panic!("{other:?}"),
    };

    let (head, body) = sealed.sealed_key.rsplit_once(':').unwrap();
    let octets = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    for index in [0, octets.len() / 2, octets.len() - 1] {
        let mut octets = octets.clone();
        octets[index] ^= 1;
        let sealed_key = format!("{head}:{}", data_encoding::BASE64.encode(&octets));
        let changed = certs::SealedAuthority { sealed_key, ..sealed.clone() };
        assert!(matches!(cause(&changed, &master), master_key::Error::Tampered(_)), "octet {index}");
    }
    let moved = certs::SealedAuthority { certificate_pem: pki.theirs.certificate_pem().to_owned(), ..sealed.clone() };
    assert!(matches!(cause(&moved, &master), master_key::Error::Tampered(_)));
    let other = MasterKey::generate().unwrap();
    assert!(matches!(cause(&sealed, &other), master_key::Error::OtherMasterKey { .. }));
    for text in ["", "sealed-v2:00:AAAA", "sealed-v1:no", &format!("{head}:AAAA"), &format!("{head}:*")] {
        let sealed = certs::SealedAuthority { sealed_key: text.to_owned(), ..sealed.clone() };
        assert!(matches!(cause(&sealed, &master), master_key::Error::UnknownFormat), "{text}");
    }
}

#[test]
fn a_master_key_is_read_from_base64_and_hex_and_nothing_else() {
    let key = MasterKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    let hex = MasterKey::parse(" 000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f ").unwrap();
    assert_eq!(key.expose(), hex.expose());
    assert_eq!(key.expose()[31], 31);
    assert!(matches!(MasterKey::parse("not a key"), Err(master_key::Error::NotBase64OrHex)));
    assert!(matches!(MasterKey::parse("AAEC"), Err(master_key::Error::WrongLength(3))));
    assert!(matches!(MasterKey::parse(""), Err(master_key::Error::WrongLength(0))));
    let unset = MasterKey::from_environment("ARGUSIQ_TEST_NO_SUCH_VARIABLE");
    assert!(matches!(unset, Err(master_key::Error::Environment(_))));
}

#[test]
fn a_small_secret_is_sealed_for_its_context_and_never_twice_the_same() {
    let key = MasterKey::generate().unwrap();
    let (one, two) = (key.seal("jwt", b"secret").unwrap(), key.seal("jwt", b"secret").unwrap());
    assert_ne!(one, two);
    assert_eq!(key.open("jwt", &one).unwrap().as_slice(), b"secret");
    assert!(matches!(key.open("webhook", &one), Err(master_key::Error::Tampered(_))));
}

#[test]
fn no_private_key_shows_in_debug_output() {
    let pki = pki();
    let issued = pki.ours.issue_device(DEVICE, 1, now()).unwrap();
    let master = MasterKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let shown = format!("{issued:?} {:?} {:?} {master:?}", pki.ours, pki.root);
    assert!(shown.contains("PrivateKeyPem(redacted)") && !shown.contains("PRIVATE"), "{shown}");
    assert!(!shown.contains("AAECAw") && !shown.contains("0, 1, 2"), "{shown}");
    assert!(!format!("{:?}", PrivateKeyPem::new("letmein".to_owned())).contains("letmein"));
}

#[test]
fn a_distribution_point_is_written_when_given() {
    let ours = pki().ours.with_crl_url("http://crl.example/ours.crl").unwrap();
    let chain = der(&ours.issue_device(DEVICE, 1, now()).unwrap().certificate_pem);
    assert!(String::from_utf8_lossy(&chain[0]).contains("http://crl.example/ours.crl"));
    assert!(matches!(pki().ours.with_crl_url("ftp://x"), Err(certs::Error::CrlUrl(_))));
    assert!(identity::identity(&chain).is_ok());
}
