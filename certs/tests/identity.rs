//! Reading and verifying device certificates, genuine and forged.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use certs::identity::Error;
use certs::{RootAuthority, identity, verify_chain};
use rcgen::ExtendedKeyUsagePurpose;
use support::*;

#[test]
fn a_device_certificate_identifies_its_device_and_organisation() {
    let pki = pki();
    let issued = pki.ours.issue_device(DEVICE, 365, now()).unwrap();
    let read = verify_chain(&der(&issued.chain_pem), pki.root.certificate(), pki.ours.certificate(), now()).unwrap();
    assert_eq!((read.organization, read.device, &read.serial), (OURS, DEVICE, &issued.serial));
    assert_eq!((read.not_before, read.not_after), (issued.not_before, issued.not_after));
    assert_eq!(read.not_before, now() - chrono::TimeDelta::minutes(5));
    assert_eq!(read.not_after, now() + days(365));
    assert_eq!(read.issuer_key_id, pki.ours.key_id());
    assert_eq!(read.serial.as_str().len(), 32);
    assert_eq!(identity(&der(&issued.certificate_pem)).unwrap(), read);
}

#[test]
fn an_empty_chain_and_unreadable_bytes_are_refused() {
    assert_eq!(identity(&[]), Err(Error::Empty));
    assert_eq!(identity(&[b"\x30\x03abc".as_slice().into()]), Err(Error::Unreadable));
    let mut with_trailing_byte =
        der(&pki().ours.issue_device(DEVICE, 1, now()).unwrap().certificate_pem).remove(0).to_vec();
    with_trailing_byte.push(0);
    assert_eq!(identity(&[with_trailing_byte.into()]), Err(Error::Unreadable));
}

#[test]
fn contradictory_or_malformed_fields_are_refused() {
    let pki = pki();
    let ours = || Forgery::of(&pki.ours);
    let device = identity::device_uri(OURS, DEVICE);
    let cases = [
        (Forgery { common_name: OURS.to_string(), ..ours() }, Error::Disagree("subject", "SAN URI")),
        (Forgery { uri: identity::device_uri(THEIRS, DEVICE), ..ours() }, Error::Disagree("subject", "SAN URI")),
        (Forgery { uri: format!("{device}:"), ..ours() }, Error::Disagree("subject", "SAN URI")),
        (Forgery { organization: THEIRS.to_string(), ..ours() }, Error::Disagree("subject O", "issuer O")),
        (Forgery { common_name: DEVICE.simple().to_string(), ..ours() }, Error::Field("subject CN")),
        (Forgery { common_name: DEVICE.to_string().to_uppercase(), ..ours() }, Error::Field("subject CN")),
        (Forgery { organization: "Acme".to_owned(), ..ours() }, Error::Field("subject O")),
    ];
    for (forgery, refusal) in cases {
        assert_eq!(identity(&[forgery.sign().0]), Err(refusal));
    }
    assert!(identity(&[ours().sign().0]).is_ok(), "each forgery differs from this valid certificate in one field");
}

#[test]
fn another_organisations_ca_cannot_sign_certificates_in_our_name() {
    let pki = pki();
    let verify =
        |forgery: Forgery<'_>| verify_chain(&[forgery.sign().0], pki.root.certificate(), pki.ours.certificate(), now());
    assert!(verify(Forgery::of(&pki.ours)).is_ok());
    assert_eq!(verify(Forgery::of(&pki.theirs)), Err(Error::Disagree("subject O", "issuer O")));
    let under_our_name = Forgery { signer: &pki.theirs, ..Forgery::of(&pki.ours) };
    assert_eq!(verify(under_our_name), Err(Error::Signature("device certificate", "organisation CA")));
}

#[test]
fn a_chain_is_verified_against_our_cas_not_the_presented_ones() {
    let (pki, foreign) = (pki(), pki());
    let chain = der(&foreign.ours.issue_device(DEVICE, 1, now()).unwrap().chain_pem);
    assert_eq!(
        verify_chain(&chain, pki.root.certificate(), pki.ours.certificate(), now()),
        Err(Error::Signature("device certificate", "organisation CA"))
    );
    assert_eq!(
        verify_chain(&chain, pki.root.certificate(), foreign.ours.certificate(), now()),
        Err(Error::Signature("organisation CA", "root CA"))
    );
    assert_eq!(
        verify_chain(&chain, foreign.root.certificate(), foreign.theirs.certificate(), now()),
        Err(Error::Disagree("subject O", "organisation CA's O"))
    );
}

#[test]
fn a_certificate_out_of_its_validity_is_refused_at_every_level_of_the_chain() {
    let root = RootAuthority::create("test root", now()).unwrap();
    let ours = root.issue_organization_authority(OURS, now()).unwrap();
    let issued = ours.issue_device(DEVICE, 2, now()).unwrap();
    let verify_at = |at| verify_chain(&der(&issued.chain_pem), root.certificate(), ours.certificate(), at);
    assert!(verify_at(issued.not_before).is_ok() && verify_at(issued.not_after).is_ok());
    let refusals = [
        (issued.not_after + chrono::TimeDelta::seconds(1), "device certificate"),
        (now() + days(12 * 365), "organisation CA"),
        (now() + days(21 * 365), "root CA"),
        (issued.not_before - chrono::TimeDelta::seconds(1), "root CA"),
    ];
    for (time, name) in refusals {
        assert!(matches!(verify_at(time), Err(Error::NotInDate { certificate, .. }) if certificate == name), "{name}");
    }
}

#[test]
fn a_certificate_for_another_purpose_is_refused() {
    let pki = pki();
    let server = Forgery { usage: ExtendedKeyUsagePurpose::ServerAuth, ..Forgery::of(&pki.ours) };
    assert_eq!(
        verify_chain(&[server.sign().0], pki.root.certificate(), pki.ours.certificate(), now()),
        Err(Error::Role("the certificate does not permit client authentication"))
    );
    let chain = der(&pki.ours.issue_device(DEVICE, 1, now()).unwrap().chain_pem);
    assert_eq!(
        verify_chain(&chain, pki.root.certificate(), &chain[0], now()),
        Err(Error::Role("a certificate presented as a CA's is not a CA certificate"))
    );
}
