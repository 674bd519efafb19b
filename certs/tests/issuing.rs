//! Issuing certificates, signing certificate requests (CSRs), and sealing keys with the master key.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use certs::{Authority, MasterKey, PrivateKeyPem, csr, identity, master_key};
use rcgen::{CertificateParams, KeyPair};
use support::*;

const OWN: csr::Subject<'_> = csr::Subject { device: DEVICE, serial_number: Some("SN-1") };

fn request(key: &KeyPair) -> String {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    request_with(parameters, key)
}

fn request_with(parameters: CertificateParams, key: &KeyPair) -> String {
    parameters.serialize_request(key).unwrap().pem().unwrap()
}

fn subject_with(kind: rcgen::DnType, name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(kind, name);
    parameters
}

fn csr_error(authority: &Authority, pem: &str) -> csr::Error {
    match authority.sign_csr(pem, OWN, 1, now()).unwrap_err() {
        certs::Error::Csr(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signed_request_gets_a_certificate_for_its_key_that_names_the_device() {
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
fn a_signing_request_may_name_only_its_own_device() {
    use rcgen::{DnType, SanType};
    let (pki, key) = (pki(), KeyPair::generate().unwrap());
    let with_san = |name| {
        let mut parameters = subject_with(DnType::CommonName, "SN-1");
        parameters.subject_alt_names = vec![name];
        parameters
    };
    let own = certs::identity::device_uri(OURS, DEVICE);
    for parameters in [
        subject_with(DnType::CommonName, &DEVICE.to_string()),
        subject_with(DnType::CommonName, "SN-1"),
        subject_with(DnType::OrganizationName, &OURS.to_string()),
        subject_with(DnType::CountryName, "DE"),
        with_san(SanType::URI(own.try_into().unwrap())),
    ] {
        pki.ours.sign_csr(&request_with(parameters, &key), OWN, 1, now()).unwrap();
    }
    let other = certs::identity::device_uri(OURS, OURS);
    for (parameters, field) in [
        (subject_with(DnType::CommonName, "SN-2"), "subject CN"),
        (subject_with(DnType::CommonName, "admin.example"), "subject CN"),
        (subject_with(DnType::OrganizationName, "Acme"), "subject O"),
        (with_san(SanType::URI(other.try_into().unwrap())), "SAN"),
        (with_san(SanType::DnsName("admin.example".try_into().unwrap())), "SAN"),
    ] {
        let refused = csr_error(&pki.ours, &request_with(parameters, &key));
        assert!(matches!(&refused, csr::Error::ForeignSubject { field: found, .. } if *found == field), "{refused:?}");
    }
}

#[test]
fn only_the_issuing_ca_renews_a_certificate_and_it_keeps_the_key() {
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
    let error_for = |algorithm| csr_error(&pki.ours, &request(&KeyPair::generate_for(algorithm).unwrap()));
    assert_eq!(error_for(&rcgen::PKCS_RSA_SHA256), csr::Error::Rsa);
    assert_eq!(error_for(&rcgen::PKCS_ED25519), csr::Error::KeyKind("1.3.101.112".to_owned()));
    assert_eq!(error_for(&rcgen::PKCS_ECDSA_P521_SHA512), csr::Error::KeyKind("1.3.132.0.35".to_owned()));
}

#[test]
fn a_signing_request_with_a_bad_signature_or_an_unreadable_one_is_refused() {
    let pki = pki();
    let pem = request(&KeyPair::generate().unwrap());
    let request =
        subject_with(rcgen::DnType::CommonName, "SN-1").serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let to_pem = |der: &[u8]| {
        let text = data_encoding::BASE64.encode(der);
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
    };
    let mut changed = request.der().to_vec();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(csr_error(&pki.ours, &to_pem(&changed)), csr::Error::Signature);
    let with_trailing_byte = [request.der().as_ref(), b"\0"].concat();
    assert_eq!(csr_error(&pki.ours, &to_pem(&with_trailing_byte)), csr::Error::Unreadable);
    assert_eq!(csr_error(&pki.ours, &to_pem(b"nonsense")), csr::Error::Unreadable);
    assert_eq!(csr_error(&pki.ours, pki.ours.certificate_pem()), csr::Error::Unreadable);
    assert_eq!(csr_error(&pki.ours, ""), csr::Error::Unreadable);
    assert_eq!(csr_error(&pki.ours, &pem.repeat(100)), csr::Error::TooLong);
}

#[test]
fn a_signing_request_is_read_as_keytool_iis_and_windows_write_it() {
    let ours = pki().ours;
    let pem = request(&KeyPair::generate().unwrap());
    let labelled = pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    for text in [
        labelled.clone(),
        labelled.replace("\r\n", "\n").replace('\n', "\r\n"),
        format!("Certificate Request:\n    Data:\n        Version: 1 (0x0)\n{pem}\nSent by Ada\n"),
        pem.replace('\r', "").replace('\n', "  \t\n"),
        pem.replace('\r', "").replace('\n', "\r"),
        format!("\u{feff}\n\n{}", pem.trim_end()),
        pem.lines().map(|line| format!("   {line}\n")).collect(),
    ] {
        ours.sign_csr(&text, OWN, 1, now()).unwrap_or_else(|error| panic!("{error:?} of {text:?}"));
    }
    assert_eq!(csr_error(&ours, &format!("{pem}{labelled}")), csr::Error::Several);
    assert_eq!(csr_error(&ours, &format!("{pem}\n\nand again\n{pem}")), csr::Error::Several);
    let half = pem.replace("-----END CERTIFICATE REQUEST-----", "");
    assert_eq!(csr_error(&ours, &half), csr::Error::Unreadable);
}

#[test]
fn validity_is_limited_to_3650_days_and_to_the_validity_of_the_ca() {
    let ours = pki().ours;
    for days in [0, 3_651] {
        let refused = ours.issue_device(DEVICE, days, now()).unwrap_err();
        assert!(matches!(refused, certs::Error::ValidityDays(given) if given == days));
    }
    let late = now() + days(10 * 365);
    assert!(ours.issue_device(DEVICE, 365, late).is_ok());
    let refused = ours.issue_device(DEVICE, 366, late).unwrap_err();
    assert!(matches!(refused, certs::Error::OutlivesAuthority { .. }), "{refused:?}");
}

#[test]
fn a_renewed_ca_keeps_key_and_name_so_that_old_and_new_certificates_are_valid_under_either() {
    let pki = pki();
    let later = now() + days(5 * 365);
    let old = pki.ours.issue_device(DEVICE, 3_650, now()).unwrap();
    let renewed = pki.root.renew_organization_authority(&pki.ours, later).unwrap();
    assert_eq!((renewed.key_id(), renewed.organization()), (pki.ours.key_id(), OURS));
    assert_eq!(renewed.not_after() - pki.ours.not_after(), days(5 * 365));
    let new = renewed.issue_device(DEVICE, 3_650, later).unwrap();
    for chain in [&old.chain_pem, &new.chain_pem] {
        for authority in [&pki.ours, &renewed] {
            certs::verify_chain(&der(chain), pki.root.certificate(), authority.certificate(), later).unwrap();
        }
    }
    // Not beyond the root.
    let last = pki.root.renew_organization_authority(&renewed, now() + days(15 * 365)).unwrap();
    assert_eq!(last.not_after(), now() + days(20 * 365));
}

#[test]
fn a_ca_opened_from_its_sealed_form_signs_as_before() {
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
fn a_sealed_key_does_not_open_when_altered_moved_or_under_another_master_key() {
    let pki = pki();
    let master = MasterKey::generate().unwrap();
    let sealed = pki.ours.seal(&master).unwrap();
    let cause = |sealed: &certs::SealedAuthority, master: &MasterKey| match sealed.open(master).unwrap_err() {
        certs::Error::MasterKey(error) => error,
        other => panic!("{other:?}"),
    };

    let (head, body) = sealed.sealed_key.rsplit_once(':').unwrap();
    let bytes = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    for index in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut bytes = bytes.clone();
        bytes[index] ^= 1;
        let sealed_key = format!("{head}:{}", data_encoding::BASE64.encode(&bytes));
        let changed = certs::SealedAuthority { sealed_key, ..sealed.clone() };
        assert!(matches!(cause(&changed, &master), master_key::Error::Tampered(_)), "byte {index}");
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
fn a_sealed_secret_opens_only_in_its_context_and_differs_each_time() {
    let key = MasterKey::generate().unwrap();
    let (one, two) = (key.seal("jwt", b"secret").unwrap(), key.seal("jwt", b"secret").unwrap());
    assert_ne!(one, two);
    assert_eq!(key.open("jwt", &one).unwrap().as_slice(), b"secret");
    assert!(matches!(key.open("webhook", &one), Err(master_key::Error::Tampered(_))));
}

#[test]
fn debug_output_contains_no_private_key() {
    let pki = pki();
    let issued = pki.ours.issue_device(DEVICE, 1, now()).unwrap();
    let master = MasterKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let shown = format!("{issued:?} {:?} {:?} {master:?}", pki.ours, pki.root);
    assert!(shown.contains("PrivateKeyPem(redacted)") && !shown.contains("PRIVATE"), "{shown}");
    assert!(!shown.contains("AAECAw") && !shown.contains("0, 1, 2"), "{shown}");
    assert!(!format!("{:?}", PrivateKeyPem::new("letmein".to_owned())).contains("letmein"));
}

#[test]
fn a_configured_crl_url_becomes_the_distribution_point_of_a_certificate() {
    let ours = pki().ours.with_crl_url("http://crl.example/ours.crl").unwrap();
    let chain = der(&ours.issue_device(DEVICE, 1, now()).unwrap().certificate_pem);
    assert!(String::from_utf8_lossy(&chain[0]).contains("http://crl.example/ours.crl"));
    assert!(matches!(pki().ours.with_crl_url("ftp://x"), Err(certs::Error::CrlUrl(_))));
    assert!(identity::identity(&chain).is_ok());
}
