//! Given/when/then tests of notifications.

use NotificationCommand as C;
use NotificationEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::alarming::Severity;
use crate::catalogue::notification_channel::Medium;
use crate::given_when_then::{given, given_no_events};
use crate::ids::UserId;
use crate::rule::EntityKind;
use crate::telemetry::Transition;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn notice() -> Notice {
    Notice {
        transition: Transition::ThresholdBreach,
        alarm_id: None,
        rule_id: None,
        rule_name: Some("Hot".into()),
        entity_type: EntityKind::Asset,
        entity_id: Uuid::from_u128(1),
        severity: Severity::High,
        metric_key: Some("temperature".into()),
        value: Some(90.0),
        measured_at: at(0),
    }
}

fn medium() -> Medium {
    Medium::Webhook { url: "https://pager.example".into() }
}

fn requested() -> E {
    E::NotificationRequested { channel_id: None, medium: medium(), notice: notice() }
}

fn attempted(attempt: u32, retry_at: i64) -> E {
    E::NotificationAttempted { attempt, retry_at: at(retry_at) }
}

fn begin(attempt: u32, now: i64) -> C {
    C::BeginAttempt { attempt, now: at(now) }
}

fn refuse(attempt: u32, is_final: bool) -> C {
    C::NoteRefused { attempt, reason: "500".into(), is_final }
}

fn failed() -> E {
    E::NotificationFailed { reason: "500".into() }
}

#[test]
fn a_notification_is_requested_once() {
    let ask = || C::RequestNotification { channel_id: None, medium: medium(), notice: notice() };
    given_no_events::<Notification>().when(ask()).then([requested()]);
    given::<Notification>([requested()]).when(ask()).then_no_events();
    for command in [begin(1, 0), C::NoteDelivered { recipients: 1 }, refuse(1, false), C::ResendNotification {}] {
        given_no_events::<Notification>().when(command).then_refused(Error::NotFound);
    }
}

#[test]
fn an_attempt_starts_once_and_only_when_due() {
    given::<Notification>([requested()]).when(begin(1, 5)).then([attempted(1, 15)]);
    given::<Notification>([requested()]).when(begin(2, 5)).then_refused(Error::NotDue);
    let once = given::<Notification>([requested(), attempted(1, 15)]);
    once.when(begin(1, 20)).then_refused(Error::NotDue);
    once.when(begin(2, 14)).then_refused(Error::NotDue);
    once.when(begin(2, 15)).then([attempted(2, 75)]);
    let done = given::<Notification>([requested(), attempted(1, 15), E::NotificationDelivered { recipients: 1 }]);
    done.when(begin(2, 20)).then_refused(Error::NotDue);
}

#[test]
fn a_notification_is_delivered_or_fails_after_the_last_attempt() {
    let tried = || given::<Notification>([requested(), attempted(1, 15)]);
    tried().when(C::NoteDelivered { recipients: 2 }).then([E::NotificationDelivered { recipients: 2 }]);
    tried().when(refuse(1, false)).then([E::NotificationRefused { attempt: 1, reason: "500".into() }]);
    tried().when(refuse(2, false)).then_no_events();
    tried().when(refuse(1, true)).then([failed()]);
    let last = given::<Notification>([requested(), attempted(MAX_ATTEMPTS, 15)]);
    last.when(refuse(MAX_ATTEMPTS, false)).then([failed()]);
    let gone = given::<Notification>([requested(), attempted(1, 15), failed()]);
    gone.when(C::NoteDelivered { recipients: 1 }).then_no_events();
    gone.when(refuse(1, true)).then_no_events();
}

#[test]
fn a_push_counts_as_delivery() {
    let ada = vec![UserId(Uuid::from_u128(3))];
    let pushed = E::NotificationPushed { recipients: ada.clone(), notice: notice() };
    given::<Notification>([requested(), attempted(1, 15)]).when(C::Push { recipients: ada }).then([pushed]);
}

#[test]
fn a_failed_notification_can_be_sent_again_with_all_attempts() {
    given::<Notification>([requested()]).when(C::ResendNotification {}).then_refused(Error::NotFailed);
    let given_up = [requested(), attempted(1, 15), failed()];
    given::<Notification>(given_up.clone()).when(C::ResendNotification {}).then([E::NotificationResent {}]);
    let again = given::<Notification>(given_up.into_iter().chain([E::NotificationResent {}]));
    again.when(begin(1, 1)).then([attempted(1, 11)]);
}

#[test]
fn a_long_failure_reason_is_truncated() {
    let reason = "x".repeat(501);
    let command = C::NoteRefused { attempt: 1, reason: reason.clone(), is_final: true };
    let kept = E::NotificationFailed { reason: reason[..500].into() };
    given::<Notification>([requested(), attempted(1, 15)]).when(command).then([kept]);
}
