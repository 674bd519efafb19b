//! Given/when/then tests of dead letters.

use SettledLetterCommand as C;
use SettledLetterEvent as E;
use chrono::DateTime;
use uuid::Uuid;

use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::ids::{DeviceId, OrganizationId};
use crate::telemetry::DeadLetter;

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(7));

fn letter() -> DeadLetter {
    DeadLetter {
        stage: "normalizer".into(),
        reason: "unknown_device".into(),
        detail: "device 7 is not known".into(),
        subject: "telemetry.raw.v1.0".into(),
        organization: Some(OrganizationId(Uuid::from_u128(9))),
        device: Some(DEVICE),
        received_at: DateTime::UNIX_EPOCH,
        payload: r#"{"metrics":{"t":1}}"#.into(),
    }
}

fn redrive(letter: DeadLetter) -> C {
    C::RedriveDeadLetter { letter: Box::new(letter) }
}

fn redriven() -> E {
    E::DeadLetterRedriven {
        device: DEVICE,
        received_at: DateTime::UNIX_EPOCH,
        payload: letter().payload,
        reason: "unknown_device".into(),
    }
}

fn discarded(comment: Option<&str>) -> E {
    E::DeadLetterDiscarded { comment: comment.map(str::to_owned) }
}

#[test]
fn a_message_is_resubmitted_once() {
    given_no_events::<SettledLetter>().when(redrive(letter())).then([redriven()]);
    let settled = given::<SettledLetter>([redriven()]);
    assert_eq!(settled.state().settled, Some(Settled::Redriven));
    settled.when(redrive(letter())).then_refused(Error::Settled);
}

#[test]
fn an_unattributable_truncated_or_unreadable_message_is_not_resubmitted() {
    let refused =
        |letter: DeadLetter, error| given_no_events::<SettledLetter>().when(redrive(letter)).then_refused(error);
    refused(DeadLetter { device: None, ..letter() }, Error::NoSender);
    refused(DeadLetter { organization: None, ..letter() }, Error::NoSender);
    refused(DeadLetter { reason: "not_a_gateway".into(), ..letter() }, Error::NoSender);
    refused(DeadLetter { payload: "x".repeat(4_096), ..letter() }, Error::Cut);
    refused(DeadLetter { payload: format!("base64:{}", "A".repeat(4_080)), ..letter() }, Error::Cut);
    refused(DeadLetter { payload: "base64:!".into(), ..letter() }, Error::Unreadable);
}

#[test]
fn a_letter_is_discarded_once_with_or_without_a_comment() {
    let discard = |comment: Option<&str>| C::DiscardDeadLetter { comment: comment.map(str::to_owned) };
    given_no_events::<SettledLetter>().when(discard(None)).then([discarded(None)]);
    given_no_events::<SettledLetter>().when(discard(Some("a test"))).then([discarded(Some("a test"))]);
    given_no_events::<SettledLetter>().when(discard(Some(""))).then_refused(Error::InvalidComment);
    given_no_events::<SettledLetter>().when(discard(Some(&"x".repeat(1_001)))).then_refused(Error::InvalidComment);
    given::<SettledLetter>([discarded(None)]).when(discard(None)).then_refused(Error::Settled);
    given::<SettledLetter>([discarded(None)]).when(redrive(letter())).then_refused(Error::Settled);
}

#[test]
fn payloads_decode_to_the_original_bytes() {
    let of = |payload: &str| DeadLetter { payload: payload.into(), ..letter() }.payload_bytes();
    assert_eq!(of("{}").as_deref(), Some(&b"{}"[..]));
    assert_eq!(of("base64://4=").as_deref(), Some(&[0xff, 0xfe][..]));
    assert_eq!(of("base64:?"), None);
}

#[test]
fn every_letter_has_a_unique_id() {
    assert_eq!(id_of(1, 2), id_of(1, 2));
    assert_ne!(id_of(1, 2), id_of(12, 0));
    assert_ne!(id_of(1, 2), id_of(1, 3));
}
