//! Given/when/then tests of devices.

use DeviceCommand as C;
use DeviceEvent as E;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::ids::DeviceTypeId;

const TYPE: DeviceTypeId = DeviceTypeId(Uuid::from_u128(7));

fn register(name: &str, serial_number: &str, custom_attributes: Value) -> C {
    C::RegisterDevice {
        name: name.into(),
        description: Some("roof".into()),
        serial_number: serial_number.into(),
        device_type_id: TYPE,
        custom_attributes,
    }
}

fn registered() -> E {
    E::DeviceRegistered {
        name: "Probe".into(),
        description: Some("roof".into()),
        serial_number: "SN-1".into(),
        device_type_id: TYPE,
        custom_attributes: json!({"floor": 3}),
    }
}

fn decommissioned() -> E {
    E::DeviceDecommissioned { reason: "broken".into() }
}

#[test]
fn a_device_is_registered_once_with_trimmed_name_and_serial_number() {
    given_no_events::<Device>().when(register(" Probe ", " SN-1", json!({"floor": 3}))).then([registered()]);
    given::<Device>([registered()]).when(register("Probe", "SN-1", json!({}))).then_refused(Error::AlreadyExists);
}

#[test]
fn an_invalid_registration_is_rejected() {
    let table = [
        (register(" ", "SN-1", json!({})), Error::InvalidName),
        (register(&"x".repeat(201), "SN-1", json!({})), Error::InvalidName),
        (register("Probe", "", json!({})), Error::InvalidSerialNumber),
        (register("Probe", &"9".repeat(101), json!({})), Error::InvalidSerialNumber),
        (register("Probe", "SN-1", json!([])), Error::InvalidAttributes),
        (register("Probe", "SN-1", json!(null)), Error::InvalidAttributes),
    ];
    for (command, refusal) in table {
        given_no_events::<Device>().when(command).then_refused(refusal);
    }
}

#[test]
fn a_change_emits_an_event_and_a_repetition_emits_none() {
    let probe = given::<Device>([registered()]);
    let rename = |name: &str| C::RenameDevice { name: name.into() };
    probe.when(rename("Probe 2")).then([E::DeviceRenamed { name: "Probe 2".into() }]);
    probe.when(rename(" Probe")).then_no_events();
    probe.when(rename("")).then_refused(Error::InvalidName);
    probe.when(C::DescribeDevice { description: None }).then([E::DeviceDescribed { description: None }]);
    probe.when(C::DescribeDevice { description: Some("roof".into()) }).then_no_events();
    let change = |custom_attributes: Value| C::ChangeDeviceAttributes { custom_attributes };
    probe.when(change(json!({}))).then([E::DeviceAttributesChanged { custom_attributes: json!({}) }]);
    probe.when(change(json!({"floor": 3}))).then_no_events();
    probe.when(change(json!("text"))).then_refused(Error::InvalidAttributes);
}

#[test]
fn changes_are_applied_to_the_state() {
    let past = [
        registered(),
        E::DeviceRenamed { name: "Probe 2".into() },
        E::DeviceDescribed { description: None },
        E::DeviceAttributesChanged { custom_attributes: json!({}) },
    ];
    let probe = given::<Device>(past);
    probe.when(C::RenameDevice { name: "Probe 2".into() }).then_no_events();
    probe.when(C::DescribeDevice { description: None }).then_no_events();
    probe.when(C::ChangeDeviceAttributes { custom_attributes: json!({}) }).then_no_events();
}

#[test]
fn an_unknown_or_decommissioned_device_cannot_be_changed() {
    let commands = [
        C::RenameDevice { name: "Other".into() },
        C::DescribeDevice { description: None },
        C::ChangeDeviceAttributes { custom_attributes: json!({}) },
    ];
    for command in commands {
        given_no_events::<Device>().when(command.clone()).then_refused(Error::NotFound);
        given::<Device>([registered(), decommissioned()]).when(command).then_refused(Error::Decommissioned);
    }
}

#[test]
fn a_device_is_decommissioned_once_and_permanently() {
    let end = || C::DecommissionDevice { reason: "broken".into() };
    given_no_events::<Device>().when(end()).then_refused(Error::NotFound);
    given::<Device>([registered()]).when(end()).then([decommissioned()]);
    given::<Device>([registered(), decommissioned()]).when(end()).then_no_events();
    assert!(given::<Device>([registered()]).state().in_service());
    assert!(!given::<Device>([registered(), decommissioned()]).state().in_service());
    assert!(!given_no_events::<Device>().state().in_service());
}

#[test]
fn a_replacement_revokes_the_credentials_of_the_old_device() {
    let replace = |serial_number: &str| C::ReplaceDevice { serial_number: serial_number.into(), reason: "worn".into() };
    let replaced =
        |serial_number: &str| E::DeviceReplaced { serial_number: serial_number.into(), reason: "worn".into() };
    let token = |n: u128| crate::ids::DeviceTokenId(uuid::Uuid::from_u128(n));
    let expires_at = chrono::DateTime::UNIX_EPOCH;
    let issued = |n| E::DeviceTokenIssued { token_id: token(n), label: None, digest: "00".into(), expires_at };
    let revoked = |n| E::DeviceTokenRevoked { token_id: token(n), reason: "worn".into() };
    let claim_code_id = crate::ids::ClaimCodeId(uuid::Uuid::from_u128(3));
    let code = E::ClaimCodeIssued { claim_code_id, digest: "00".into(), expires_at };
    let equipped = given::<Device>([registered(), issued(1), issued(2), revoked(1), code]);
    let withdrawn = E::ClaimCodeWithdrawn { claim_code_id };
    equipped.when(replace(" SN-2 ")).then([replaced("SN-2"), revoked(2), withdrawn]);
    let probe = given::<Device>([registered(), replaced("SN-2"), replaced("SN-3"), replaced("SN-2")]);
    assert_eq!(probe.state().former_serial_numbers, ["SN-1", "SN-3"]);
    probe.when(replace("SN-2")).then_refused(Error::SameSerialNumber);
    probe.when(replace(" ")).then_refused(Error::InvalidSerialNumber);
    given_no_events::<Device>().when(replace("SN-2")).then_refused(Error::NotFound);
    given::<Device>([registered(), decommissioned()]).when(replace("SN-2")).then_refused(Error::Decommissioned);
}

#[test]
fn several_changes_are_applied_atomically() {
    let probe = given::<Device>([registered()]);
    let rename = |name: &str| C::RenameDevice { name: name.into() };
    let attributes = |custom_attributes: Value| C::ChangeDeviceAttributes { custom_attributes };
    let same = C::DescribeDevice { description: Some("roof".into()) };
    let changes = vec![rename("Probe 2"), same, attributes(json!({}))];
    let [renamed, changed] =
        [E::DeviceRenamed { name: "Probe 2".into() }, E::DeviceAttributesChanged { custom_attributes: json!({}) }];
    probe.when(C::ReviseDevice { changes }).then([renamed, changed]);
    let changes = vec![rename("Probe 2"), attributes(json!("text"))];
    probe.when(C::ReviseDevice { changes }).then_refused(Error::InvalidAttributes);
    probe.when(C::ReviseDevice { changes: vec![] }).then_no_events();
    given_no_events::<Device>().when(C::ReviseDevice { changes: vec![] }).then_refused(Error::NotFound);
}
