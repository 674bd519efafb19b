//! Table tests of every authorisation and every denial.

use super::*;
use certs::{Authority, IssuedDevice, RootAuthority};
use chrono::Duration;
use rustls_pki_types::pem::PemObject;
use uuid::Uuid;

const OWN: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);
const DEVICE: Uuid = Uuid::from_u128(0x0d);

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// A platform with two organisations, a device of the first, and the view that admits it.
struct Platform {
    own: Authority,
    other: Authority,
    issued: IssuedDevice,
    view: View,
}

fn platform() -> Platform {
    let root = RootAuthority::create("Test", now()).unwrap();
    let own = root.issue_organization_authority(OWN, now()).unwrap();
    let other = root.issue_organization_authority(OTHER, now()).unwrap();
    let issued = own.issue_device(DEVICE, 30, now()).unwrap();
    let view = View {
        root: Arc::new(root.certificate().clone()),
        organization: Some(OrganizationView { suspended: false, authority: Some(Arc::new(own.certificate().clone())) }),
        device: Some(DeviceView { organization: OrganizationId(OWN), decommissioned: false, is_converted: false }),
        certificate: Some(CertificateView { device: DeviceId(DEVICE), revoked: false }),
    };
    Platform { own, other, issued, view }
}

fn chain(issued: &IssuedDevice) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

fn reason(chain: &[CertificateDer<'_>], client_id: &str, view: &View, at: DateTime<Utc>) -> Option<Reason> {
    match authorize_connect(chain, client_id, view, at) {
        Decision::Allow(_) => None,
        Decision::Deny(reason) => Some(reason),
    }
}

#[test]
fn a_device_in_good_standing_may_use_its_own_topics_until_its_certificate_expires() {
    let platform = platform();
    let decision = authorize_connect(&chain(&platform.issued), &DEVICE.to_string(), &platform.view, now());
    let expected = Allowed {
        organization: OrganizationId(OWN),
        device: DeviceId(DEVICE),
        topics: Topics {
            telemetry: format!("v1/telemetry/{OWN}/{DEVICE}"),
            commands: format!("v1/commands/{OWN}/{DEVICE}"),
        },
        expires_at: platform.issued.not_after,
    };
    assert_eq!(decision, Decision::Allow(expected));
}

#[test]
fn every_reason_in_the_log_against_a_device_denies_it() {
    let known = platform();
    let (chain, client_id) = (chain(&known.issued), DEVICE.to_string());
    let organization = || known.view.organization.clone().unwrap();
    let with = |change: &dyn Fn(&mut View)| {
        let mut view = known.view.clone();
        change(&mut view);
        reason(&chain, &client_id, &view, now())
    };
    for (found, expected) in [
        (with(&|view| view.organization = None), Reason::UnknownOrganization),
        (with(&|view| view.organization = Some(OrganizationView::default())), Reason::UnknownOrganization),
        (
            with(&|view| view.organization = Some(OrganizationView { suspended: true, ..organization() })),
            Reason::OrganizationSuspended,
        ),
        (with(&|view| view.device = None), Reason::UnknownDevice),
        (
            with(&|view| {
                view.device =
                    Some(DeviceView { organization: OrganizationId(OWN), decommissioned: true, is_converted: false })
            }),
            Reason::Decommissioned,
        ),
        (
            with(&|view| {
                view.device =
                    Some(DeviceView { organization: OrganizationId(OTHER), decommissioned: false, is_converted: false })
            }),
            Reason::WrongOrganization,
        ),
        (with(&|view| view.certificate = None), Reason::UnknownCertificate),
        (
            with(&|view| view.certificate = Some(CertificateView { device: DeviceId(OTHER), revoked: false })),
            Reason::UnknownCertificate,
        ),
        (
            with(&|view| view.certificate = Some(CertificateView { device: DeviceId(DEVICE), revoked: true })),
            Reason::Revoked,
        ),
    ] {
        assert_eq!(found, Some(expected));
    }
}

#[test]
fn a_chain_is_accepted_only_under_the_ca_of_the_organisation_it_names() {
    let known = platform();
    let client_id = DEVICE.to_string();
    // A sibling CA that took over the organisation's names.
    let mut forged = known.view.clone();
    forged.organization.as_mut().unwrap().authority = Some(Arc::new(known.other.certificate().clone()));
    assert_eq!(reason(&chain(&known.issued), &client_id, &forged, now()), Some(Reason::ForeignAuthority));
    let second = RootAuthority::create("Other", now()).unwrap();
    let twin = second.issue_organization_authority(OWN, now()).unwrap();
    let of_twin = chain(&twin.issue_device(DEVICE, 30, now()).unwrap());
    assert_eq!(reason(&of_twin, &client_id, &known.view, now()), Some(Reason::ForeignAuthority));
    // The intermediate that the client presents must not matter.
    let mixed = [of_twin[0].clone(), known.own.certificate().clone()];
    assert_eq!(reason(&mixed, &client_id, &known.view, now()), Some(Reason::ForeignAuthority));
    let ca_as_device = [known.own.certificate().clone()];
    assert_eq!(reason(&ca_as_device, &client_id, &known.view, now()), Some(Reason::UnreadableCertificate));
}

#[test]
fn a_certificate_is_accepted_only_within_its_validity() {
    let known = platform();
    let (chain, client_id) = (chain(&known.issued), DEVICE.to_string());
    for (at, expected) in [
        (known.issued.not_before - Duration::seconds(1), Some(Reason::NotYetValid)),
        (known.issued.not_before, None),
        (known.issued.not_after, None),
        (known.issued.not_after + Duration::seconds(1), Some(Reason::Expired)),
    ] {
        assert_eq!(reason(&chain, &client_id, &known.view, at), expected, "{at}");
    }
}

#[test]
fn the_client_id_must_be_the_device_id_in_canonical_form() {
    let known = platform();
    let chain = chain(&known.issued);
    let upper = DEVICE.to_string().to_uppercase();
    for client_id in ["", "pump-7", &upper, &DEVICE.simple().to_string(), &OTHER.to_string(), &format!("{DEVICE} ")] {
        assert_eq!(reason(&chain, client_id, &known.view, now()), Some(Reason::WrongClientId), "{client_id}");
    }
}

#[test]
fn a_certificate_that_is_not_a_devices_is_denied() {
    let known = platform();
    let garbage = [CertificateDer::from(vec![1, 2, 3])];
    assert_eq!(reason(&[], "", &known.view, now()), Some(Reason::UnreadableCertificate));
    assert_eq!(reason(&garbage, "", &known.view, now()), Some(Reason::UnreadableCertificate));
}

#[test]
fn a_live_session_is_reviewed_by_the_same_rules() {
    let known = platform();
    let identity = certs::identity(&chain(&known.issued)).unwrap();
    assert_eq!(authorize_session(&identity, &known.view, now()), Ok(()));
    let mut revoked = known.view.clone();
    revoked.certificate.as_mut().unwrap().revoked = true;
    assert_eq!(authorize_session(&identity, &revoked, now()), Err(Reason::Revoked));
    let late = known.issued.not_after + Duration::seconds(1);
    assert_eq!(authorize_session(&identity, &known.view, late), Err(Reason::Expired));
}

#[test]
fn only_denials_that_an_event_could_lift_wait_for_the_log() {
    for (reason, waits) in [
        (Reason::UnknownOrganization, true),
        (Reason::UnknownDevice, true),
        (Reason::UnknownCertificate, true),
        (Reason::Revoked, false),
        (Reason::Decommissioned, false),
        (Reason::WrongClientId, false),
        (Reason::Expired, false),
    ] {
        assert_eq!(reason.may_be_stale(), waits, "{}", reason.code());
    }
}

#[test]
fn a_device_token_is_accepted_while_token_device_and_organisation_are_valid() {
    let (own, device) = (OrganizationId(OWN), DeviceId(DEVICE));
    let token = TokenView { device, revoked: false, expires_at: now() + Duration::seconds(1) };
    let known = DeviceView { organization: own, decommissioned: false, is_converted: false };
    let active = OrganizationView::default();
    let suspended = OrganizationView { suspended: true, authority: None };
    let over = TokenView { expires_at: now(), ..token };
    let revoked = TokenView { revoked: true, ..token };
    let gone = DeviceView { decommissioned: true, ..known };
    for (token, device, organization, expected) in [
        (Some(token), Some(known), Some(&active), Ok(own)),
        (None, None, None, Err(Reason::UnknownToken)),
        (Some(token), None, None, Err(Reason::UnknownDevice)),
        (Some(token), Some(known), None, Err(Reason::UnknownOrganization)),
        (Some(over), Some(known), Some(&active), Err(Reason::Expired)),
        (Some(revoked), Some(known), Some(&active), Err(Reason::Revoked)),
        (Some(token), Some(gone), Some(&active), Err(Reason::Decommissioned)),
        (Some(token), Some(known), Some(&suspended), Err(Reason::OrganizationSuspended)),
    ] {
        assert_eq!(authorize_token(token, device, organization, now()), expected);
    }
}

#[test]
fn a_device_in_good_standing_with_a_valid_certificate_is_registered_at_a_broker() {
    let (own, device) = (
        OrganizationId(OWN),
        DeviceView { organization: OrganizationId(OWN), decommissioned: false, is_converted: false },
    );
    let good = (CertificateView { device: DeviceId(DEVICE), revoked: false }, now() + Duration::seconds(1));
    let (over, revoked) = ((good.0, now()), (CertificateView { revoked: true, ..good.0 }, good.1));
    let active = OrganizationView::default();
    let suspended = OrganizationView { suspended: true, authority: None };
    let gone = DeviceView { decommissioned: true, ..device };
    for (device, organization, certificates, expected) in [
        (device, Some(&active), vec![good], Ok(own)),
        (device, Some(&active), vec![revoked, over, good], Ok(own)),
        (device, Some(&active), vec![], Err(Reason::UnknownCertificate)),
        (device, Some(&active), vec![over], Err(Reason::Expired)),
        (device, Some(&active), vec![revoked], Err(Reason::Revoked)),
        (gone, Some(&active), vec![good], Err(Reason::Decommissioned)),
        (device, Some(&suspended), vec![good], Err(Reason::OrganizationSuspended)),
        (device, None, vec![good], Err(Reason::UnknownOrganization)),
    ] {
        assert_eq!(authorize_device(device, organization, certificates, now()), expected);
    }
}
