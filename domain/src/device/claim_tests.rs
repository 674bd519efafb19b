//! Given/when/then tests of claim codes.

use DeviceCommand as C;
use DeviceEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::given_when_then::given;
use crate::ids::{ClaimCodeId, DeviceTypeId};

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

fn registered() -> E {
    E::DeviceRegistered {
        name: "Probe".into(),
        description: None,
        serial_number: "SN-1".into(),
        device_type_id: DeviceTypeId(Uuid::from_u128(7)),
        custom_attributes: json!({}),
    }
}

fn code(number: u128) -> ClaimCodeId {
    ClaimCodeId(Uuid::from_u128(number))
}

fn issue(number: u128) -> C {
    C::IssueClaimCode { claim_code_id: code(number), digest: format!("{number:064x}"), expires_at: end() }
}

fn issued(number: u128) -> E {
    E::ClaimCodeIssued { claim_code_id: code(number), digest: format!("{number:064x}"), expires_at: end() }
}

fn end() -> DateTime<Utc> {
    now() + TimeDelta::hours(1)
}

fn use_up(number: u128, now: DateTime<Utc>) -> C {
    C::UseClaimCode { digest: format!("{number:064x}"), now }
}

fn used(number: u128) -> E {
    E::ClaimCodeUsed { claim_code_id: code(number) }
}

#[test]
fn a_code_is_used_once_and_before_it_expires() {
    let open = given::<Device>([registered(), issued(1)]);
    open.when(use_up(1, now())).then([used(1)]);
    open.when(use_up(2, now())).then_refused(Error::WrongClaimCode);
    open.when(use_up(1, end())).then_refused(Error::ClaimCodeExpired);
    given::<Device>([registered(), issued(1), used(1)]).when(use_up(1, now())).then_refused(Error::ClaimCodeUsed);
    given::<Device>([registered()]).when(use_up(1, now())).then_refused(Error::WrongClaimCode);
}

#[test]
fn a_new_code_replaces_the_previous_one() {
    given::<Device>([registered()]).when(issue(1)).then([issued(1)]);
    given::<Device>([registered(), issued(1)]).when(issue(1)).then_no_events();
    let second = given::<Device>([registered(), issued(1), used(1), issued(2)]);
    second.when(use_up(1, now())).then_refused(Error::WrongClaimCode);
    second.when(use_up(2, now())).then([used(2)]);
}

#[test]
fn an_unused_code_can_be_withdrawn() {
    let withdrawn = E::ClaimCodeWithdrawn { claim_code_id: code(1) };
    given::<Device>([registered(), issued(1)]).when(C::WithdrawClaimCode {}).then([withdrawn.clone()]);
    given::<Device>([registered(), issued(1), used(1)]).when(C::WithdrawClaimCode {}).then_no_events();
    given::<Device>([registered(), issued(1), withdrawn]).when(use_up(1, now())).then_refused(Error::WrongClaimCode);
}

#[test]
fn a_decommissioned_device_cannot_enrol() {
    let gone = E::DeviceDecommissioned { reason: "broken".into() };
    let device = given::<Device>([registered(), issued(1), gone]);
    device.when(use_up(1, now())).then_refused(Error::Decommissioned);
    device.when(issue(2)).then_refused(Error::Decommissioned);
}
