//! Given/when/then tests of device tokens and gateways.

use DeviceCommand as C;
use DeviceEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::ids::{DeviceTokenId, DeviceTypeId};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn token(number: u128) -> DeviceTokenId {
    DeviceTokenId(Uuid::from_u128(number))
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

fn decommissioned() -> E {
    E::DeviceDecommissioned { reason: "broken".into() }
}

fn issue(number: u128, label: Option<&str>) -> C {
    C::IssueDeviceToken {
        token_id: token(number),
        label: label.map(str::to_owned),
        digest: format!("{number:064x}"),
        expires_at: now() + TimeDelta::days(1),
        now: now(),
    }
}

fn issued(number: u128, days: i64) -> E {
    let expires_at = now() + TimeDelta::days(days);
    E::DeviceTokenIssued { token_id: token(number), label: None, digest: format!("{number:064x}"), expires_at }
}

fn revoke(number: u128) -> C {
    C::RevokeDeviceToken { token_id: token(number), reason: "lost".into() }
}

fn revoked(number: u128) -> E {
    E::DeviceTokenRevoked { token_id: token(number), reason: "lost".into() }
}

#[test]
fn a_token_is_issued_once_with_a_trimmed_label() {
    let labelled = E::DeviceTokenIssued {
        token_id: token(1),
        label: Some("Workshop".into()),
        digest: format!("{:064x}", 1),
        expires_at: now() + TimeDelta::days(1),
    };
    given::<Device>([registered()]).when(issue(1, Some(" Workshop "))).then([labelled]);
    given::<Device>([registered(), issued(1, 1)]).when(issue(1, None)).then_no_events();
    given::<Device>([registered()]).when(issue(1, Some(" "))).then_refused(Error::InvalidLabel);
    given::<Device>([registered()]).when(issue(1, Some(&"x".repeat(101)))).then_refused(Error::InvalidLabel);
}

#[test]
fn the_number_of_valid_tokens_is_limited() {
    let full: Vec<E> = [registered()].into_iter().chain((0..MAX_TOKENS as u128).map(|n| issued(n, 1))).collect();
    given::<Device>(full.clone()).when(issue(99, None)).then_refused(Error::TooManyTokens { most: MAX_TOKENS });
    let one_revoked: Vec<E> = full.iter().cloned().chain([revoked(0)]).collect();
    given::<Device>(one_revoked).when(issue(99, None)).then([issued(99, 1)]);
    let one_expired: Vec<E> =
        full.into_iter().map(|event| if event == issued(0, 1) { issued(0, 0) } else { event }).collect();
    given::<Device>(one_expired).when(issue(99, None)).then([issued(99, 1)]);
}

#[test]
fn a_token_is_revoked_once() {
    given::<Device>([registered(), issued(1, 1)]).when(revoke(1)).then([revoked(1)]);
    given::<Device>([registered(), issued(1, 1), revoked(1)]).when(revoke(1)).then_no_events();
    given::<Device>([registered(), issued(1, 1)]).when(revoke(2)).then_refused(Error::NoSuchToken);
}

#[test]
fn a_gateway_is_appointed_and_dismissed_once_each() {
    given::<Device>([registered()]).when(C::AppointGateway {}).then([E::GatewayAppointed {}]);
    given::<Device>([registered(), E::GatewayAppointed {}]).when(C::AppointGateway {}).then_no_events();
    given::<Device>([registered(), E::GatewayAppointed {}]).when(C::DismissGateway {}).then([E::GatewayDismissed {}]);
    given::<Device>([registered()]).when(C::DismissGateway {}).then_no_events();
}

#[test]
fn an_unknown_or_decommissioned_device_gets_no_token_and_no_gateway_role() {
    for command in [issue(1, None), revoke(1), C::AppointGateway {}, C::DismissGateway {}] {
        given_no_events::<Device>().when(command.clone()).then_refused(Error::NotFound);
        let gone = given::<Device>([registered(), issued(1, 1), decommissioned()]);
        gone.when(command).then_refused(Error::Decommissioned);
    }
}
