//! Issuing, signing requests, sealing: what is made is right, what must be refused is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use certs::{Authority, MasterKey, PrivateKeyPem, authority, csr, identity, master_key};
use rcgen::{CertificateParams, KeyPair};
use support::*;

fn request(key: &KeyPair) -> String {
    CertificateParams::new(vec!["admin.example".to_owned()]).unwrap().serialize_request(key).unwrap().pem().unwrap()
}

fn refusal(authority: &Authority, pem: &str) -> csr::Error {
    match authority.sign_csr(pem, DEVICE, 1, now()).unwrap_err() {
        authority::Error::Csr(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signing_request_gives_its_key_and_none_of_its_names() {
    let pki = pki();
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let issued = pki.ours.sign_csr(&request(&key), DEVICE, 10, now()).unwrap();
        assert_eq!(issued.private_key_pem, None);
        let chain = der(&issued.chain_pem);
        let read = certs::verify_chain(&chain, pki.root.certificate(), pki.ours.certificate(), now()).unwrap();
        assert_eq!((read.organization, read.device), (OURS, DEVICE));
        let (_, parsed) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
        assert_eq!(parsed.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
        assert!(!String::from_utf8_lossy(&chain[0]).contains("admin.example"));
    }
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
    let request = CertificateParams::default().serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let base64 = |der: &[u8]| {
        let text = data_encoding::BASE64.encode(der);
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
    };
    let mut changed = request.der().to_vec();
    let position = changed.windows(5).position(|octets| octets == b"rcgen").unwrap();
    changed[position] = b'R';
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
        assert!(matches!(refused, authority::Error::ValidityDays(given) if given == days));
    }
    let late = now() + days(9 * 365);
    assert!(ours.issue_device(DEVICE, 365, late).is_ok());
    let refused = ours.issue_device(DEVICE, 366, late).unwrap_err();
    assert!(matches!(refused, authority::Error::OutlivesAuthority { .. }), "{refused:?}");
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
        authority::Error::MasterKey(error) => error,
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
    assert!(matches!(pki().ours.with_crl_url("ftp://x"), Err(authority::Error::CrlUrl(_))));
    assert!(identity::identity(&chain).is_ok());
}
