//! Reading and judging device certificates, forged ones above all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use certs::identity::Error;
use certs::{RootAuthority, identity, verify_chain};
use rcgen::ExtendedKeyUsagePurpose;
use support::*;

#[test]
fn a_device_certificate_says_whose_it_is() {
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
fn no_certificate_and_no_certificate_at_all_are_refused() {
    assert_eq!(identity(&[]), Err(Error::Empty));
    assert_eq!(identity(&[b"\x30\x03abc".as_slice().into()]), Err(Error::Unreadable));
    let mut longer = der(&pki().ours.issue_device(DEVICE, 1, now()).unwrap().certificate_pem).remove(0).to_vec();
    longer.push(0);
    assert_eq!(identity(&[longer.into()]), Err(Error::Unreadable));
}

#[test]
fn fields_that_disagree_or_are_misspelt_are_refused() {
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
    assert!(identity(&[ours().sign().0]).is_ok(), "the forgeries differ from a good one in one field each");
}

#[test]
fn another_organisations_ca_cannot_sign_our_names() {
    let pki = pki();
    let judge =
        |forgery: Forgery<'_>| verify_chain(&[forgery.sign().0], pki.root.certificate(), pki.ours.certificate(), now());
    assert!(judge(Forgery::of(&pki.ours)).is_ok());
    assert_eq!(judge(Forgery::of(&pki.theirs)), Err(Error::Disagree("subject O", "issuer O")));
    let under_our_name = Forgery { signer: &pki.theirs, ..Forgery::of(&pki.ours) };
    assert_eq!(judge(under_our_name), Err(Error::Signature("device certificate", "organisation CA")));
}

#[test]
fn a_chain_is_judged_by_the_cas_we_hold_not_by_those_presented() {
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
fn a_chain_out_of_date_is_refused_at_every_level() {
    let root = RootAuthority::create("test root", now()).unwrap();
    let ours = root.issue_organization_authority(OURS, now()).unwrap();
    let issued = ours.issue_device(DEVICE, 2, now()).unwrap();
    let at = |at| verify_chain(&der(&issued.chain_pem), root.certificate(), ours.certificate(), at);
    assert!(at(issued.not_before).is_ok() && at(issued.not_after).is_ok());
    let refusals = [
        (issued.not_after + chrono::TimeDelta::seconds(1), "device certificate"),
        (now() + days(11 * 365), "organisation CA"),
        (now() + days(21 * 365), "root CA"),
        (issued.not_before - chrono::TimeDelta::seconds(1), "root CA"),
    ];
    for (time, name) in refusals {
        assert!(matches!(at(time), Err(Error::NotInDate { certificate, .. }) if certificate == name), "{name}");
    }
}

#[test]
fn a_certificate_for_another_purpose_is_refused() {
    let pki = pki();
    let server = Forgery { usage: ExtendedKeyUsagePurpose::ServerAuth, ..Forgery::of(&pki.ours) };
    assert_eq!(
        verify_chain(&[server.sign().0], pki.root.certificate(), pki.ours.certificate(), now()),
        Err(Error::Role("the certificate is not for client authentication"))
    );
    let chain = der(&pki.ours.issue_device(DEVICE, 1, now()).unwrap().chain_pem);
    assert_eq!(
        verify_chain(&chain, pki.root.certificate(), &chain[0], now()),
        Err(Error::Role("a certificate given as CA is not one"))
    );
}
