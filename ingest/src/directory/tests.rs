//! Tests of the fold: given events, when another is applied, then the state and the affected devices.

use super::*;
use certs::RootAuthority;
use chrono::{DateTime, Utc};
use domain::certificate::RevocationCode;
use domain::ids::DeviceTypeId;
use serde_json::json;

fn organization() -> OrganizationId {
    OrganizationId(Uuid::from_u128(1))
}

fn device() -> DeviceId {
    DeviceId(Uuid::from_u128(2))
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn registered() -> AnyEvent {
    AnyEvent::Device(DeviceEvent::DeviceRegistered {
        name: "pump".into(),
        description: None,
        serial_number: "S-1".into(),
        device_type_id: DeviceTypeId::default(),
        custom_attributes: json!({}),
    })
}

fn issued(serial: &str) -> AnyEvent {
    AnyEvent::Certificate(CertificateEvent::CertificateIssued {
        device_id: device(),
        serial_number: serial.into(),
        certificate_pem: String::new(),
        fingerprint_sha256: String::new(),
        not_before: now(),
        not_after: now(),
    })
}

fn empty() -> Directory {
    let root = RootAuthority::create("Test", now()).unwrap();
    Directory::new(root.certificate().clone())
}

#[test]
fn a_device_stays_known_after_it_is_decommissioned() {
    let directory = empty();
    assert_eq!(directory.device(device()), None);
    assert_eq!(directory.apply(1, organization(), device().0, &registered()), None);
    assert_eq!(
        directory.device(device()).map(|known| (known.organization, known.decommissioned)),
        Some((organization(), false))
    );
    let gone = AnyEvent::Device(DeviceEvent::DeviceDecommissioned { reason: "scrapped".into() });
    assert_eq!(directory.apply(1, organization(), device().0, &gone), Some(Affected::Device(device())));
    assert_eq!(directory.device(device()).map(|known| known.decommissioned), Some(true));
}

#[test]
fn a_revocation_is_found_by_serial_number_and_affects_the_device() {
    let directory = empty();
    let (id, serial) = (Uuid::from_u128(9), Serial::from_bytes(&[0x0a, 0xbc]).unwrap());
    directory.apply(1, organization(), id, &issued(serial.as_str()));
    assert!(!directory.is_revoked(&serial));
    let revoked = AnyEvent::Certificate(CertificateEvent::CertificateRevoked {
        reason: "stolen".into(),
        code: RevocationCode::KeyCompromise,
    });
    assert_eq!(directory.apply(1, organization(), id, &revoked), Some(Affected::Device(device())));
    assert!(directory.is_revoked(&serial));
    assert_eq!(directory.apply(1, organization(), Uuid::from_u128(10), &revoked), None);
}

#[test]
fn a_suspension_affects_the_organisation_and_can_be_lifted() {
    let directory = empty();
    let suspended = AnyEvent::Organization(OrganizationEvent::OrganizationSuspended { reason: "unpaid".into() });
    let affected = directory.apply(1, organization(), organization().0, &suspended);
    assert_eq!(affected, Some(Affected::Organization(organization())));
    let reinstated = AnyEvent::Organization(OrganizationEvent::OrganizationReinstated {});
    assert_eq!(directory.apply(1, organization(), organization().0, &reinstated), None);
    assert!(directory.read().entries.organization_now(organization()).is_some_and(|known| !known.suspended));
}

#[test]
fn a_device_is_converted_while_its_type_has_a_converter() {
    use domain::device_type::DeviceTypeEvent;
    use domain::ids::ProtocolConverterId;
    let directory = empty();
    directory.apply(1, organization(), device().0, &registered());
    let AnyEvent::Device(DeviceEvent::DeviceRegistered { device_type_id, .. }) = registered() else { unreachable!() };
    let is_converted = || directory.device(device()).unwrap().is_converted;
    let defined = DeviceTypeEvent::DeviceTypeDefined {
        name: "T".into(),
        description: None,
        metrics: vec![],
        unknown_metrics: Default::default(),
    };
    directory.apply(2, organization(), device_type_id.0, &AnyEvent::DeviceType(defined));
    assert!(!is_converted());
    for (position, converter_id, expected) in
        [(3, Some(ProtocolConverterId(Uuid::from_u128(1))), true), (4, None, false)]
    {
        let assigned = DeviceTypeEvent::DeviceTypeConverterAssigned { converter_id };
        directory.apply(position, organization(), device_type_id.0, &AnyEvent::DeviceType(assigned));
        assert_eq!(is_converted(), expected);
    }
}
